namespace CoGrpo.Runtime.Files.Torch;

/// <summary>Tells by its first bytes what a file is that is offered as a PyTorch archive.</summary>
internal static class TorchFileKind
{
    private static readonly byte[] Zip = [0x50, 0x4B, 0x03, 0x04];

    // The protocol and the magic number of the format that torch.save wrote before version 1.6.
    private static readonly byte[] Legacy = [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];

    /// <summary>Refuses what does not begin as a zip file, with what to do about it.</summary>
    public static void RequireZip(RandomReader reader)
    {
        ReadOnlySpan<byte> head = reader.Bytes(0, (int)Math.Min(64, reader.Length), "file");
        if (head.StartsWith(Zip))
        {
            return;
        }

        (string found, string remedy) = head switch
        {
            _ when head.StartsWith(Legacy) || (head.Length > 1 && head[0] == 0x80 && head[1] is >= 2 and <= 5) =>
                ("a bare pickle, the format before PyTorch 1.6",
                    "load it in PyTorch and save it again with torch.save(state_dict, path), or take a safetensors copy"),
            _ when head.StartsWith("version https://git-lfs"u8) => ("a pointer of Git LFS", "fetch the file itself: git lfs pull"),
            _ when head.TrimStart(" \r\n\t"u8).StartsWith("<"u8) => ("a web page", "fetch the file itself; the address needs a login or is wrong"),
            _ => ("other bytes", "fetch the file again, or load it in PyTorch and save it again with torch.save(state_dict, path)"),
        };
        throw new TorchArchiveException(reader.Name, "file", "a zip file of torch.save", found, remedy);
    }
}
