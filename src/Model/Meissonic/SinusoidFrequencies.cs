using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Meissonic;

/// <summary>
/// The 128 fp32 frequencies exp(-ln(10000) k/128) as the reference rounds them. They are frozen as bits because one ulp of a frequency moves
/// a cosine by up to 2e-3 at the arguments the published model sees (specs/meissonic.md, numerical notes), and no libm agrees with another.
/// </summary>
internal static class SinusoidFrequencies
{
    private static readonly uint[] Bits =
    [
        0x3F800000, 0x3F6E39F8, 0x3F5DAFD6, 0x3F4E4BAC, 0x3F3FF911, 0x3F32A506, 0x3F263DE0, 0x3F1AB32B,
        0x3F0FF59A, 0x3F05F6EE, 0x3EF953CE, 0x3EE80460, 0x3ED7E89A, 0x3EC8EB24, 0x3EBAF81A, 0x3EADFCFF,
        0x3EA1E89B, 0x3E96AAEA, 0x3E8C3503, 0x3E827908, 0x3E72D422, 0x3E61F836, 0x3E5247ED, 0x3E43AE7C,
        0x3E361887, 0x3E297409, 0x3E1DB040, 0x3E12BD90, 0x3E088D77, 0x3DFE24DF, 0x3DEC7FD5, 0x3DDC1464,
        0x3DCCCCCC, 0x3DBE94C8, 0x3DB15978, 0x3DA50957, 0x3D99940D, 0x3D8EEA6C, 0x3D84FE4C, 0x3D778511,
        0x3D6655C1, 0x3D5657E3, 0x3D477640, 0x3D399D18, 0x3D2CBA16, 0x3D20BC1B, 0x3D159348, 0x3D0B30CB,
        0x3D0186E2, 0x3CF11177, 0x3CE054D1, 0x3CD0C1A8, 0x3CC2434E, 0x3CB4C692, 0x3CA83989, 0x3C9C8B96,
        0x3C91AD3A, 0x3C879009, 0x3C7C4D30, 0x3C6AC8E6, 0x3C5A7BF1, 0x3C4B50B5, 0x3C3D330E, 0x3C301050,
        0x3C23D70A, 0x3C187706, 0x3C0DE12E, 0x3C040777, 0x3BF5B9AD, 0x3BE4AA45, 0x3BD4CA16, 0x3BC6040A,
        0x3BB8449A, 0x3BAB7982, 0x3B9F91CC, 0x3B947DAF, 0x3B8A2E75, 0x3B80967C, 0x3B6F520D, 0x3B5EB47A,
        0x3B4F3E33, 0x3B40DAC2, 0x3B33770D, 0x3B270153, 0x3B1B690E, 0x3B109ED8, 0x3B06946D, 0x3AFA78F0,
        0x3AE91528, 0x3AD8E674, 0x3AC9D759, 0x3ABBD3EA, 0x3AAEC98E, 0x3AA2A6F7, 0x3A975C0B, 0x3A8CD9D9,
        0x3A83126E, 0x3A73F1A2, 0x3A6301E3, 0x3A533F24, 0x3A44948A, 0x3A36EE9E, 0x3A2A3B44, 0x3A1E69A2,
        0x3A136A14, 0x3A092E01, 0x39FF4FAC, 0x39ED95E4, 0x39DD1722, 0x39CDBD93, 0x39BF74D6, 0x39B229FB,
        0x39A5CB60, 0x399A48A0, 0x398F9275, 0x39859AA4, 0x3978A80D, 0x3967648C, 0x395753E2, 0x394860C0,
        0x393A7753, 0x392D852A, 0x39217919, 0x39164326, 0x390BD46D, 0x39021F28, 0x38F22CDD, 0x38E15C8E,
    ];

    /// <summary>Number of frequencies; an embedding has twice as many elements.</summary>
    public const int Count = 128;

    /// <summary>The frequencies as a device tensor [128] in <paramref name="arena"/>.</summary>
    public static Tensor Upload(IBackend backend, Arena arena)
    {
        Tensor table = arena.Allocate(new Shape(Count));
        backend.Upload<uint>(Bits, table);
        return table;
    }
}
