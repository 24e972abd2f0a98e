namespace CoGrpo.CudaEmulator.Ptx;

/// <summary>Where in the CUDA source an instruction comes from, as <c>.loc</c> says.</summary>
/// <param name="File">Number of the file, see <see cref="PtxModule.Files"/>.</param>
/// <param name="Line">Line, from 1; 0 for code without one.</param>
/// <param name="InlinedAt">The call that was inlined, or null.</param>
internal sealed record SourceLine(int File, int Line, SourceLine? InlinedAt = null);
