namespace CoGrpo.Model.Images;

/// <summary>How the samples of one PNG file become RGBA: its PLTE and tRNS chunks and the depth.</summary>
internal sealed class PngPalette
{
    private const string Damaged = "the file is damaged; fetch or write it again";
    private readonly string _file;
    private readonly PngHeader _header;
    private readonly byte[] _colors = new byte[4 * 256];
    private bool _hasColors;
    private int[]? _transparent;

    public PngPalette(string file, PngHeader header)
    {
        _file = file;
        _header = header;

        // Indices beyond the palette are an error of the file that readers show as opaque black.
        for (int i = 0; i < 256; i++)
        {
            _colors[(4 * i) + 3] = 255;
        }
    }

    public void SetColors(ReadOnlySpan<byte> data)
    {
        if (_hasColors || data.IsEmpty || data.Length % 3 != 0 || data.Length > 3 * 256)
        {
            throw new PngException(_file, "PLTE", "one palette of 1 to 256 colours", _hasColors ? "a second one" : $"{data.Length} bytes", Damaged);
        }

        _hasColors = true;
        for (int i = 0; i < data.Length / 3; i++)
        {
            data.Slice(3 * i, 3).CopyTo(_colors.AsSpan(4 * i));
        }
    }

    public void SetTransparency(ReadOnlySpan<byte> data)
    {
        bool fits = _header.Color switch
        {
            PngColor.Palette => _hasColors && data.Length <= 256,
            PngColor.Grey => data.Length == 2,
            PngColor.Rgb => data.Length == 6,
            _ => false,
        };
        if (!fits)
        {
            throw new PngException(_file, "tRNS", $"transparency for colour type {_header.Color}", $"{data.Length} bytes", Damaged);
        }

        if (_header.Color == PngColor.Palette)
        {
            for (int i = 0; i < data.Length; i++)
            {
                _colors[(4 * i) + 3] = data[i];
            }

            return;
        }

        _transparent = new int[data.Length / 2];
        for (int c = 0; c < _transparent.Length; c++)
        {
            _transparent[c] = (data[2 * c] << 8) | data[(2 * c) + 1];
        }
    }

    public void RequireComplete()
    {
        if (_header.Color == PngColor.Palette && !_hasColors)
        {
            throw new PngException(_file, "PLTE", "a palette", "none", Damaged);
        }
    }

    /// <summary>Writes red, green, blue and opacity of pixel <paramref name="x"/> of a row.</summary>
    public void ToRgba(ReadOnlySpan<byte> row, int x, Span<byte> rgba)
    {
        int first = Sample(row, x * _header.Channels);
        switch (_header.Color)
        {
            case PngColor.Palette:
                _colors.AsSpan(4 * first, 4).CopyTo(rgba);
                break;
            case PngColor.Grey or PngColor.GreyAlpha:
                rgba[..3].Fill(ToByte(first));
                rgba[3] = _header.Color == PngColor.GreyAlpha ? ToByte(Sample(row, (2 * x) + 1))
                    : _transparent is not null && first == _transparent[0] ? (byte)0 : (byte)255;
                break;
            default:
                int green = Sample(row, (x * _header.Channels) + 1);
                int blue = Sample(row, (x * _header.Channels) + 2);
                rgba[0] = ToByte(first);
                rgba[1] = ToByte(green);
                rgba[2] = ToByte(blue);
                bool clear = _transparent is not null && first == _transparent[0] && green == _transparent[1] && blue == _transparent[2];
                rgba[3] = _header.Color == PngColor.RgbAlpha ? ToByte(Sample(row, (4 * x) + 3)) : clear ? (byte)0 : (byte)255;
                break;
        }
    }

    private int Sample(ReadOnlySpan<byte> row, int i)
    {
        switch (_header.Depth)
        {
            case 8:
                return row[i];
            case 16:
                return (row[2 * i] << 8) | row[(2 * i) + 1];
            default:
                int bit = i * _header.Depth;
                return (row[bit / 8] >> (8 - _header.Depth - (bit % 8))) & ((1 << _header.Depth) - 1);
        }
    }

    private byte ToByte(int sample)
    {
        int max = (1 << _header.Depth) - 1;
        return (byte)(((sample * 255) + (max / 2)) / max);
    }
}
