namespace CoGrpo.Model.Images;

/// <summary>Colour types of a PNG file, with their codes in it.</summary>
internal enum PngColor : byte
{
    Grey = 0,
    Rgb = 2,
    Palette = 3,
    GreyAlpha = 4,
    RgbAlpha = 6,
}
