using CoGrpo.Model.Tokenizers;
using CoGrpo.Runtime.Randomness;
using FsCheck.Xunit;

namespace CoGrpo.Tests.Model;

public class PatchTokenizerTests
{
    [Property(MaxTest = 50)]
    public void Pictures_made_of_codes_survive_both_ways(ulong seed)
    {
        var random = new RandomSequence(seed, RandomStream.Pictures);
        byte[] tiles = new byte[3 * 6 * 4 * 3];
        for (int i = 0; i < tiles.Length; i++)
        {
            tiles[i] = (byte)random.Next(3);
        }

        IImageTokenizer tokenizer = new PatchTokenizer(PatchCodebook.FromTiles(tiles, 6, 4, 2), 5, 3);
        Assert.Equal((10, 6, 15, 180), (tokenizer.PictureHeight, tokenizer.PictureWidth, tokenizer.CodeCount, tokenizer.PictureBytes));
        int[] codes = new int[15];
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = random.Next(tokenizer.CodebookSize);
        }

        byte[] rgb = new byte[tokenizer.PictureBytes];
        int[] back = new int[15];
        tokenizer.Decode(codes, rgb);
        tokenizer.Encode(rgb, back);
        Assert.Equal(codes, back);
    }

    [Fact]
    public void Patches_are_cut_row_by_row_and_the_order_of_tiles_does_not_matter()
    {
        byte[] a = [.. Enumerable.Range(0, 12).Select(i => (byte)i)];
        byte[] b = [.. Enumerable.Range(100, 12).Select(i => (byte)i)];
        PatchCodebook one = PatchCodebook.FromTiles([.. a, .. b, .. a], 2, 2, 1);
        PatchCodebook other = PatchCodebook.FromTiles([.. b, .. a], 2, 2, 1);
        Assert.Equal(8, one.Count);
        Assert.Equal(8, other.Count);
        for (int code = 0; code < 8; code++)
        {
            Assert.Equal(one.Patch(code), other.Patch(code));
            Assert.Equal(code, one.Find(one.Patch(code)));
        }

        Assert.Equal([3, 4, 5], one.Patch(1).ToArray());
        int[] codes = new int[4];
        new PatchTokenizer(one, 2, 2).Encode(b, codes);
        Assert.Equal([4, 5, 6, 7], codes);
    }

    [Fact]
    public void Damaged_input_is_refused_with_the_reason()
    {
        PatchCodebook codebook = PatchCodebook.FromTiles(new byte[48], 4, 4, 4);
        var tokenizer = new PatchTokenizer(codebook, 1, 2);
        byte[] rgb = new byte[96];
        rgb[95] = 1;
        Assert.Contains("row 0, column 1", Message(() => tokenizer.Encode(rgb, new int[2])), StringComparison.Ordinal);
        Assert.Contains("the mask 1", Message(() => tokenizer.Decode([0, 1], rgb)), StringComparison.Ordinal);
        Assert.Contains("got -1", Message(() => tokenizer.Decode([0, -1], rgb)), StringComparison.Ordinal);
        Assert.Contains("got 2147483647", Message(() => tokenizer.Decode([0, int.MaxValue], rgb)), StringComparison.Ordinal);
        Assert.Contains("without alpha", Message(() => tokenizer.Encode(new byte[128], new int[2])), StringComparison.Ordinal);
        Assert.Contains("codes: wanted 2", Message(() => tokenizer.Decode([0], rgb)), StringComparison.Ordinal);
        Assert.Equal(-1, codebook.Find(new byte[47]));
        Assert.Contains("tiles", Message(() => PatchCodebook.FromTiles([], 4, 4, 4)), StringComparison.Ordinal);
        Assert.Contains("tiles", Message(() => PatchCodebook.FromTiles(new byte[49], 4, 4, 4)), StringComparison.Ordinal);
        Assert.Contains("patchSize", Message(() => PatchCodebook.FromTiles(new byte[48], 4, 4, 3)), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new PatchTokenizer(codebook, 0, 1));
    }

    private static string Message(Action act) => Assert.ThrowsAny<ArgumentException>(act).Message;
}
