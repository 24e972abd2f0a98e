using CoGrpo.Model;
using CoGrpo.Rl.Evaluation;

namespace CoGrpo.Tests.Rl;

public sealed class ScoreFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Scores_come_back_bit_for_bit()
    {
        (int, ScoreSheet)[] written =
        [
            (4, new ScoreSheet([new("judge", 0.1 + 0.2, 3, 1.0 / 3), new("other", -2.5e-17)], [new("single", double.NaN, 2)])),
            (48, new ScoreSheet([new("judge", 1)], [])),
        ];
        ScoreFile.Write(_path, written);
        IReadOnlyList<(int Steps, ScoreSheet Sheet)> read = ScoreFile.Read(_path);
        Assert.Equal(written.Select(e => e.Item1), read.Select(e => e.Steps));
        Assert.Equal(written.SelectMany(e => e.Item2.Means), read.SelectMany(e => e.Sheet.Means));
        Assert.Equal(written.SelectMany(e => e.Item2.Parts), read.SelectMany(e => e.Sheet.Parts));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[{\"steps\":4,\"means\":[")]
    [InlineData("{}")]
    [InlineData("[{}]")]
    [InlineData("[1]")]
    [InlineData("[{\"steps\":4.5,\"means\":[],\"parts\":[]}]")]
    [InlineData("[{\"steps\":4,\"means\":[],\"parts\":[]}]")]
    [InlineData("[{\"steps\":4,\"means\":[{\"name\":null,\"value\":1,\"digits\":3,\"error\":null}],\"parts\":[]}]")]
    [InlineData("[{\"steps\":4,\"means\":[{\"name\":\"a\",\"value\":1,\"digits\":99,\"error\":null}],\"parts\":[]}]")]
    public void Anything_else_is_one_line(string text)
    {
        File.WriteAllText(_path, text);
        string message = Assert.Throws<ModelException>(() => ScoreFile.Read(_path)).Message;
        Assert.StartsWith($"{_path}: wanted the scores of a finished run", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
