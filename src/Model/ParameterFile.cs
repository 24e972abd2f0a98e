using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model;

/// <summary>Weights of a network in a safetensors file under their published names and shapes.</summary>
public static class ParameterFile
{
    /// <summary>What a network that was saved while wrapped for data-parallel training has before every name.</summary>
    private const string Wrapper = "module.";

    /// <summary>
    /// Reads every parameter of <paramref name="store"/>; F64, F32, F16 and BF16 files are converted. A leading <c>module.</c> of names in the file is left out, a scalar
    /// is read as one element. Names in <paramref name="ignored"/> may be present.
    /// </summary>
    /// <exception cref="ModelException">Parameters are missing (all are named), unknown or of another shape.</exception>
    /// <exception cref="SafetensorsException">The file is damaged.</exception>
    public static void Load(string path, ParameterStore store, IBackend backend, params ReadOnlySpan<string> ignored)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Dictionary<string, SafetensorsTensor> tensors = Unwrapped(file, path);
        List<string> missing = [];
        List<string> problems = [];
        foreach (Parameter parameter in store.Parameters)
        {
            if (!tensors.TryGetValue(parameter.Name, out SafetensorsTensor? tensor))
            {
                missing.Add(parameter.Name);
            }
            else if (!SameShape(tensor.Shape, parameter.Shape))
            {
                problems.Add($"{parameter.Name} is [{string.Join(',', tensor.Shape.ToArray())}], wanted {parameter.Shape}");
            }
        }

        foreach (string name in tensors.Keys)
        {
            if (store.Find(name) is null && !ignored.Contains(name))
            {
                problems.Add($"{name} is not a tensor of this network");
            }
        }

        if (missing.Count + problems.Count > 0)
        {
            const int Shown = 12;
            string absent = missing.Count == 0 ? "" : $"missing {string.Join(", ", NumberedNames.Summarised(missing))}{(problems.Count == 0 ? "" : "; ")}";
            string more = problems.Count > Shown ? $"; and {problems.Count - Shown} more" : "";
            throw new ModelException($"{path}: weights do not fit the configuration: {absent}{string.Join("; ", problems.Take(Shown))}{more}; use the config.json that belongs to these weights");
        }

        float[] buffer = [];
        foreach (Parameter parameter in store.Parameters)
        {
            int count = checked((int)parameter.Shape.Count);
            if (buffer.Length < count)
            {
                buffer = new float[count];
            }

            Span<float> values = buffer.AsSpan(0, count);
            file.ReadFloat32(tensors[parameter.Name].Name, values);
            backend.Upload(parameter.ToStored(values), parameter.Value);
        }

        store.RenewComputeCopy();
    }

    /// <summary>Writes a run laid out like the store's values (the values themselves, moments, an average) in fp32, replacing the file in one step.</summary>
    public static void Save(string path, ParameterStore store, Tensor run, IBackend backend, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, [("", store, run)], backend, metadata));

    /// <summary>Writes several runs to one stream, tensors of run i named prefix i + parameter name.</summary>
    public static void Write(Stream stream, IReadOnlyList<(string Prefix, ParameterStore Store, Tensor Run)> runs, IBackend backend,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        var sources = new Dictionary<string, (Parameter Parameter, Tensor Values)>(StringComparer.Ordinal);
        var tensors = new List<SafetensorsTensor>();
        foreach ((string prefix, ParameterStore store, Tensor run) in runs)
        {
            foreach (Parameter parameter in store.Parameters)
            {
                string name = prefix + parameter.Name;
                sources.Add(name, (parameter, store.Slice(run, parameter)));
                tensors.Add(new SafetensorsTensor(name, SafetensorsType.F32, Dimensions(parameter.Shape)));
            }
        }

        var writer = new SafetensorsWriter(stream, tensors, metadata);
        foreach (SafetensorsTensor tensor in writer.Tensors)
        {
            float[] values = new float[tensor.Count];
            (Parameter parameter, Tensor stored) = sources[tensor.Name];
            backend.Download<float>(stored, values);
            writer.WriteFloat32(tensor.Name, parameter.ToPublished(values));
        }

        writer.Complete();
    }

    /// <summary>Reads a run written by <see cref="Write"/> under <paramref name="prefix"/>.</summary>
    /// <exception cref="SafetensorsException">A tensor is missing or the file is damaged.</exception>
    public static void ReadRun(SafetensorsFile file, string prefix, ParameterStore store, Tensor run, IBackend backend)
    {
        foreach (Parameter parameter in store.Parameters)
        {
            float[] values = file.ReadFloat32(prefix + parameter.Name);
            backend.Upload(parameter.ToStored(values), store.Slice(run, parameter));
        }
    }

    /// <summary>The tensors of a file by name without a leading <see cref="Wrapper"/>.</summary>
    private static Dictionary<string, SafetensorsTensor> Unwrapped(SafetensorsFile file, string path)
    {
        var tensors = new Dictionary<string, SafetensorsTensor>(StringComparer.Ordinal);
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
        {
            string name = tensor.Name.StartsWith(Wrapper, StringComparison.Ordinal) ? tensor.Name[Wrapper.Length..] : tensor.Name;
            if (!tensors.TryAdd(name, tensor))
            {
                throw new ModelException($"{path}: wanted each tensor once, got {name} with and without a leading {Wrapper}; write the file with one of the two");
            }
        }

        return tensors;
    }

    private static bool SameShape(ReadOnlySpan<long> file, Shape shape)
    {
        if (file.IsEmpty)
        {
            return shape == new Shape(1);
        }

        if (file.Length != shape.Rank)
        {
            return false;
        }

        for (int i = 0; i < file.Length; i++)
        {
            if (file[i] != shape[i])
            {
                return false;
            }
        }

        return true;
    }

    private static long[] Dimensions(Shape shape)
    {
        long[] dimensions = new long[shape.Rank];
        for (int i = 0; i < dimensions.Length; i++)
        {
            dimensions[i] = shape[i];
        }

        return dimensions;
    }
}
