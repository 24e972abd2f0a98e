namespace CoGrpo.Tests.Runtime.OperationTable;

/// <summary>Device memory that is watched while operations run, and can be told what to watch for. What it notices fails the operation.</summary>
internal interface IMemoryWatch
{
    /// <summary>No operation reads or writes these bytes.</summary>
    void Forbid(nint address, long bytes);

    /// <summary>No operation reads these bytes before it has written them.</summary>
    void Undefine(nint address, long bytes);
}
