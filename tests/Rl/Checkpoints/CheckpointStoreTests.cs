using CoGrpo.Rl.Checkpoints;
using CoGrpo.Tests.Runtime.Files;

namespace CoGrpo.Tests.Rl.Checkpoints;

public sealed class CheckpointStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _messages = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Newest_is_found_and_only_the_last_few_are_kept()
    {
        var store = new CheckpointStore(_folder.File("checkpoints"), keep: 2);
        Assert.Null(store.FindNewest(_messages.Add));
        foreach (long step in new long[] { 5, 90, 1_000_000 })
        {
            store.Save(step, d => Fill(d, step));
        }

        Assert.Equal(["step-000090", "step-1000000"], Names(_folder.File("checkpoints")));
        Checkpoint newest = store.FindNewest(_messages.Add)!;
        Assert.Equal(1_000_000, newest.Step);
        Assert.Equal("1000000", File.ReadAllText(Path.Combine(newest.Directory, "state.txt")));
        Assert.Empty(_messages);
    }

    [Theory]
    [InlineData("no marker", "incomplete")]
    [InlineData("cut marker", "own checksum")]
    [InlineData("empty marker", "own checksum")]
    [InlineData("changed marker", "own checksum")]
    [InlineData("missing file", "missing")]
    [InlineData("cut file", "bytes")]
    [InlineData("changed byte", "changed")]
    public void Damaged_checkpoint_is_skipped_with_a_message(string damage, string message)
    {
        var store = new CheckpointStore(_folder.Path, keep: 5);
        store.Save(1, d => Fill(d, 1));
        string directory = store.Save(2, d => Fill(d, 2)).Directory;
        string marker = Path.Combine(directory, "complete");
        string weights = Path.Combine(directory, "weights.bin");
        switch (damage)
        {
            case "no marker":
                File.Delete(marker);
                break;
            case "cut marker":
                File.WriteAllText(marker, File.ReadAllText(marker)[..20]);
                break;
            case "empty marker":
                File.WriteAllText(marker, "");
                break;
            case "changed marker":
                File.WriteAllText(marker, File.ReadAllText(marker).Replace("weights.bin", "../weights", StringComparison.Ordinal));
                break;
            case "missing file":
                File.Delete(weights);
                break;
            case "cut file":
                File.WriteAllBytes(weights, new byte[999]);
                break;
            default:
                byte[] bytes = File.ReadAllBytes(weights);
                bytes[500] ^= 1;
                File.WriteAllBytes(weights, bytes);
                break;
        }

        Assert.Equal(1, store.FindNewest(_messages.Add)!.Step);
        Assert.Contains(message, Assert.Single(_messages), StringComparison.Ordinal);
    }

    [Fact]
    public void Saving_an_earlier_step_abandons_the_later_ones_and_replaces_its_own()
    {
        var store = new CheckpointStore(_folder.Path, keep: 3);
        store.Save(10, d => Fill(d, 10));
        store.Save(20, d => Fill(d, 20));
        Directory.CreateDirectory(_folder.File(".step-000030.0123.tmp"));
        store.Save(10, d => Fill(d, 11));
        Assert.Equal(["step-000010"], Names(_folder.Path));
        Assert.Equal("11", File.ReadAllText(_folder.File("step-000010/state.txt")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Full_disk_keeps_the_checkpoints_there_are(bool mount)
    {
        using var disk = new SmallDisk(mount);
        var store = new CheckpointStore(disk.Path, keep: 1);
        store.Save(1, d => Fill(d, 1));
        SmallDisk.AssertFull(() => store.Save(2, d => File.WriteAllBytes(Path.Combine(d, "w"), new byte[2 * SmallDisk.Bytes])));
        Assert.Equal(["step-000001"], Names(disk.Path));
        Assert.Equal(1, store.FindNewest(_messages.Add)!.Step);
        Assert.Empty(_messages);
    }

    private static void Fill(string directory, long step)
    {
        File.WriteAllText(Path.Combine(directory, "state.txt"), $"{step}");
        File.WriteAllBytes(Path.Combine(directory, "weights.bin"), new byte[1000]);
    }

    private static IEnumerable<string?> Names(string directory) =>
        Directory.GetFileSystemEntries(directory).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
