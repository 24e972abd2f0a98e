using CoGrpo.Runtime.Files;

namespace CoGrpo.Tests.Runtime.Files;

public sealed class AtomicFileTests
{
    [Fact]
    public void Replaces_the_content_and_leaves_nothing_beside_it()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.txt");
        AtomicFile.WriteAllText(path, "old, and longer");
        AtomicFile.WriteAllText(path, "new");
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Error_while_writing_keeps_the_old_content_and_passes_through()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a.txt");
        AtomicFile.WriteAllText(path, "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Missing_directory_is_an_io_error()
    {
        using var folder = new TemporaryFolder();
        Assert.ThrowsAny<IOException>(() => AtomicFile.WriteAllText(Path.Combine(folder.Path, "none", "a.txt"), "x"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Full_disk_keeps_the_old_file_and_leaves_nothing_beside_it(bool mount)
    {
        using var disk = new SmallDisk(mount);
        string path = Path.Combine(disk.Path, "weights.safetensors");
        AtomicFile.WriteAllText(path, "old");
        SmallDisk.AssertFull(() => AtomicFile.Write(path, stream =>
        {
            var writer = new SafetensorsWriter(stream, [new SafetensorsTensor("w", SafetensorsType.U8, 2 * SmallDisk.Bytes)]);
            for (int i = 0; i < 2 * SmallDisk.Bytes; i += 1000)
            {
                writer.WriteBytes("w", new byte[1000]);
            }
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(disk.Path));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Full_disk_keeps_the_old_directory_and_leaves_nothing_beside_it(bool mount)
    {
        using var disk = new SmallDisk(mount);
        string path = Path.Combine(disk.Path, "checkpoint");
        AtomicDirectory.Write(path, aside => File.WriteAllText(Path.Combine(aside, "a"), "old"));
        SmallDisk.AssertFull(() => AtomicDirectory.Write(path, aside =>
        {
            File.WriteAllText(Path.Combine(aside, "a"), "new");
            File.WriteAllBytes(Path.Combine(aside, "b"), new byte[2 * SmallDisk.Bytes]);
        }));
        Assert.Equal("old", File.ReadAllText(Path.Combine(path, "a")));
        Assert.Single(Directory.GetFileSystemEntries(disk.Path));
        Assert.Single(Directory.GetFileSystemEntries(path));
    }

    [Fact]
    public void Directory_is_replaced_as_a_whole()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("parent/d");
        AtomicDirectory.Write(path, aside => File.WriteAllText(Path.Combine(aside, "a"), "1"));
        AtomicDirectory.Write(path, aside => File.WriteAllText(Path.Combine(aside, "b"), "2"));
        Assert.Equal([Path.Combine(path, "b")], Directory.GetFileSystemEntries(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!));
    }
}
