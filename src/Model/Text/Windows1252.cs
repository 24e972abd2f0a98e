namespace CoGrpo.Model.Text;

/// <summary>
/// The single-byte encoding that UTF-8 and Latin-1 are most often taken for; bytes it does not assign stand for the control of the same number.
/// </summary>
internal static class Windows1252
{
    private const string High = "\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F" +
        "\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";

    /// <summary>The character of a byte.</summary>
    public static char Character(byte code) => code is >= 0x80 and <= 0x9F ? High[code - 0x80] : (char)code;

    /// <summary>The byte that is read as <paramref name="character"/> in this encoding or in Latin-1, or -1.</summary>
    public static int Byte(char character)
    {
        if (character <= 0xFF)
        {
            return character;
        }

        int place = High.IndexOf(character, StringComparison.Ordinal);
        return place < 0 ? -1 : 0x80 + place;
    }
}
