namespace CoGrpo.Runtime.Files.Torch;

/// <summary>The bytes that tensors are views of: one member of the archive.</summary>
/// <param name="Member">Where the bytes are.</param>
/// <param name="Type">Their element type.</param>
/// <param name="Count">Elements.</param>
internal sealed record TorchStorage(StoredZipMember Member, SafetensorsType Type, long Count);
