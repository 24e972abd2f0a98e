using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CoGrpo.CudaEmulator.Compilation;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.CudaEmulator.Ptx;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Driver;

/// <summary>A module loaded into a context: parsed PTX, and memory for its variables.</summary>
internal sealed unsafe class EmulatedModule : IDisposable
{
    // Newest PTX that is read, and how many parsed texts are kept: tests load the same kernels into many contexts.
    private const int NewestPtx = 84;
    private const int MostParsed = 256;

    private static readonly ConcurrentDictionary<string, PtxModule> Parsed = new(StringComparer.Ordinal);

    private readonly Dictionary<string, nint> _variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EmulatedFunction> _functions = new(StringComparer.Ordinal);

    /// <summary>Loads PTX text into a context.</summary>
    /// <exception cref="DriverException">The text is damaged, too new, or for a later architecture.</exception>
    public EmulatedModule(EmulatedContext context, string text)
    {
        Context = context;
        Ptx = Parse(text);
        int device = context.Device.Architecture.Number;
        if (Ptx.Version > NewestPtx)
        {
            throw new DriverException(
                CudaResult.UnsupportedPtxVersion,
                $"PTX version {Ptx.Version / 10}.{Ptx.Version % 10}: the emulated driver reads up to {NewestPtx / 10}.{NewestPtx % 10}"
            );
        }

        if (Ptx.Target > device || (Ptx.TargetIsExact && Ptx.Target != device))
        {
            throw new DriverException(
                CudaResult.InvalidPtx,
                $"PTX for sm_{Ptx.Target}{(Ptx.TargetIsExact ? "a" : "")}: this device is {context.Device.Architecture}"
            );
        }

        foreach (
            PtxVariable variable in Ptx.Variables.Values.Where(v => v.Space is PtxSpace.Global or PtxSpace.Constant && v.Bytes > 0 && !v.IsExternal)
        )
        {
            RegionKind kind = variable.Space == PtxSpace.Constant ? RegionKind.Constant : RegionKind.Variable;
            Region* region = context.Memory.Allocate((ulong)variable.Bytes, kind, $"variable {variable.Name}");
            if (region == null)
            {
                Dispose();
                throw new DriverException(CudaResult.OutOfMemory, $"variable {variable.Name} of {variable.Bytes} bytes");
            }

            _variables.Add(variable.Name, (nint)region);
            new Span<byte>(region->Host, (int)variable.Bytes).Clear();
            variable.Initial.AsSpan().CopyTo(new Span<byte>(region->Host, (int)variable.Bytes));
            AddressSpace.SetWritten(region, 0, region->Bytes);
        }

        foreach (PtxVariable variable in Ptx.Variables.Values.Where(v => _variables.ContainsKey(v.Name)))
        {
            foreach ((int offset, string symbol, long addend, _) in variable.Relocations)
            {
                ulong address =
                    AddressOf(symbol)
                    ?? throw new DriverException(CudaResult.InvalidPtx, $"variable {variable.Name} refers to {symbol}, which is not defined");
                *(ulong*)(((Region*)_variables[variable.Name])->Host + offset) = address + (ulong)addend;
            }
        }
    }

    public EmulatedContext Context { get; }

    public PtxModule Ptx { get; }

    /// <summary>The region of a module variable, or null.</summary>
    public Region* Variable(string name) => (Region*)_variables.GetValueOrDefault(name);

    /// <summary>A kernel by name, or null.</summary>
    public EmulatedFunction? Function(string name)
    {
        if (
            !_functions.TryGetValue(name, out EmulatedFunction? function)
            && Ptx.Functions.TryGetValue(name, out PtxFunction? found)
            && found is { IsKernel: true, HasBody: true }
        )
        {
            function = new EmulatedFunction(this, found);
            _functions.Add(name, function);
        }

        return function;
    }

    /// <summary>The address that the name of a variable or device function stands for, or null.</summary>
    public ulong? AddressOf(string name)
    {
        if (_variables.TryGetValue(name, out nint region))
        {
            return ((Region*)region)->Start;
        }

        int number = KernelBuilder.FunctionNumbers(Ptx).IndexOf(name);
        return number >= 0 ? KernelCode.FunctionAddress + ((ulong)number * KernelCode.FunctionDistance) : null;
    }

    public void Dispose()
    {
        foreach (nint region in _variables.Values)
        {
            Context.Memory.Free(((Region*)region)->Start, ((Region*)region)->Kind);
        }

        _variables.Clear();
        foreach (EmulatedFunction function in _functions.Values)
        {
            function.Dispose();
        }

        _functions.Clear();
    }

    private static PtxModule Parse(string text)
    {
        string key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        if (Parsed.TryGetValue(key, out PtxModule? known))
        {
            return known;
        }

        try
        {
            PtxModule module = PtxParser.Parse(text);
            if (Parsed.Count < MostParsed)
            {
                Parsed[key] = module;
            }

            return module;
        }
        catch (PtxException error)
        {
            throw new DriverException(CudaResult.InvalidPtx, error.Message);
        }
    }
}
