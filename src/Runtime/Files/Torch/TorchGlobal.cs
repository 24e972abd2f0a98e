namespace CoGrpo.Runtime.Files.Torch;

/// <summary>A name of a Python module that a pickle may refer to. There is no other way to one than this list.</summary>
internal sealed class TorchGlobal
{
    private static readonly Dictionary<string, TorchGlobal> Known = new TorchGlobal[]
    {
        new("collections OrderedDict", Role.OrderedDictionary),
        new("torch._utils _rebuild_tensor_v2", Role.Tensor),
        new("torch._utils _rebuild_parameter", Role.Parameter),
        new("torch._utils _rebuild_parameter_with_state", Role.Parameter),
        new("torch Size", Role.Size),
        new("torch device", Role.Device),
        new("torch DoubleStorage", SafetensorsType.F64),
        new("torch FloatStorage", SafetensorsType.F32),
        new("torch HalfStorage", SafetensorsType.F16),
        new("torch BFloat16Storage", SafetensorsType.BF16),
        new("torch LongStorage", SafetensorsType.I64),
        new("torch IntStorage", SafetensorsType.I32),
        new("torch ShortStorage", SafetensorsType.I16),
        new("torch CharStorage", SafetensorsType.I8),
        new("torch ByteStorage", SafetensorsType.U8),
        new("torch BoolStorage", SafetensorsType.BOOL),
    }.Concat(new[] { "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool" }
        .Select(type => new TorchGlobal($"torch {type}", Role.Type)))
        .ToDictionary(g => g.Name, StringComparer.Ordinal);

    private TorchGlobal(string name, Role kind) => (Name, Kind) = (name, kind);

    private TorchGlobal(string name, SafetensorsType storage)
        : this(name, Role.Storage) => StorageType = storage;

    /// <summary>What a global stands for.</summary>
    internal enum Role
    {
        /// <summary>A dictionary class.</summary>
        OrderedDictionary,

        /// <summary>Makes a tensor of a storage.</summary>
        Tensor,

        /// <summary>Wraps a tensor.</summary>
        Parameter,

        /// <summary>A tuple of sizes.</summary>
        Size,

        /// <summary>The name of a device, of no meaning here.</summary>
        Device,

        /// <summary>The class of a storage.</summary>
        Storage,

        /// <summary>An element type as a value, of no meaning here.</summary>
        Type,
    }

    /// <summary>Module and name.</summary>
    public string Name { get; }

    /// <summary>What it stands for.</summary>
    public Role Kind { get; }

    /// <summary>Element type of a storage class.</summary>
    public SafetensorsType StorageType { get; }

    /// <summary>The global of this module and name, or null.</summary>
    public static TorchGlobal? Find(string module, string name) => Known.GetValueOrDefault($"{module} {name}");
}
