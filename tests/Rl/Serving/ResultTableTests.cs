using CoGrpo.Rl.Serving;

namespace CoGrpo.Tests.Rl.Serving;

public sealed class ResultTableTests
{
    private static readonly ResultTable Table = new(["name", "x"], [["a, \"b\"", "1.5"], ["c|d", "10.25"]], TextColumns: 1);

    [Fact]
    public void Plain_text_is_aligned() => Assert.Equal("name        x\na, \"b\"    1.5\nc|d     10.25\n", Table.ToPlainText());

    [Fact]
    public void Csv_is_quoted() => Assert.Equal("name,x\n\"a, \"\"b\"\"\",1.5\nc|d,10.25\n", Table.ToCsv());

    [Fact]
    public void Markdown_is_escaped() => Assert.Equal("| name | x |\n|---|---:|\n| a, \"b\" | 1.5 |\n| c\\|d | 10.25 |\n", Table.ToMarkdown());
}
