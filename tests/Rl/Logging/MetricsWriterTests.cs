using CoGrpo.Rl.Logging;

namespace CoGrpo.Tests.Rl.Logging;

public sealed class MetricsWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string FilePath => _folder.File("metrics.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void One_object_a_line_visible_at_once()
    {
        using var writer = new MetricsWriter(FilePath, 0);
        writer.Write(1, [new("reward", 0.1), new("ratio \"max\"", double.NaN)]);
        using var reader = new StreamReader(new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.Equal("{\"iteration\":1,\"reward\":0.1,\"ratio \\u0022max\\u0022\":null}\n", reader.ReadToEnd());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"iteration\":3,\"rew")]
    [InlineData("{\"rew\n{\"iteration\":2}\n")]
    [InlineData("17\n")]
    public void Resuming_removes_later_lines_and_a_torn_one(string torn)
    {
        Write(0, 1, 2);
        string kept = File.ReadAllText(FilePath);
        Write(2, 3, 4);
        File.AppendAllText(FilePath, torn);
        Write(2, 3);
        Assert.Equal(kept + "{\"iteration\":3,\"x\":3}\n", File.ReadAllText(FilePath));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void New_run_in_the_same_place_starts_over()
    {
        Write(0, 1, 2);
        Write(0, 1);
        Assert.Single(File.ReadAllLines(FilePath));
    }

    private void Write(long lastIteration, params long[] iterations)
    {
        using var writer = new MetricsWriter(FilePath, lastIteration);
        foreach (long iteration in iterations)
        {
            writer.Write(iteration, [new("x", iteration)]);
        }
    }
}
