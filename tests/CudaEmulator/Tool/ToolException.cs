namespace CoGrpo.CudaEmulator.Tool;

/// <summary>A command line that cannot be carried out; the message is for its author.</summary>
internal sealed class ToolException(string message) : Exception(message);
