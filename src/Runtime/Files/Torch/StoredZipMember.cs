namespace CoGrpo.Runtime.Files.Torch;

/// <summary>A member of a <see cref="StoredZip"/>: <see cref="Size"/> bytes from <see cref="Offset"/> of the file on.</summary>
/// <param name="Name">Full name in the archive.</param>
/// <param name="Offset">Where the data begin in the file.</param>
/// <param name="Size">Bytes of the data.</param>
/// <param name="Crc32">Checksum of the data according to the directory.</param>
internal sealed record StoredZipMember(string Name, long Offset, long Size, uint Crc32);
