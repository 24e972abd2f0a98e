using CoGrpo.Model.Conversion;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model;

/// <summary>Weights of a network in a safetensors file under their published names and shapes.</summary>
public static class ParameterFile
{
    /// <summary>
    /// Reads every parameter of <paramref name="store"/> from the file at <paramref name="path"/>; F64, F32, F16 and BF16 are converted.
    /// </summary>
    /// <exception cref="ModelException">Parameters are missing, unknown or of another shape: all are listed at once.</exception>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    public static void Load(string path, ParameterStore store, IBackend backend)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Load(file, path, store, backend, _ => false);
    }

    /// <summary>
    /// Reads every parameter of <paramref name="store"/> from <paramref name="source"/>, called <paramref name="name"/> in messages. Tensors that
    /// <paramref name="ignores"/> accepts may be there.
    /// </summary>
    /// <exception cref="ModelException">Parameters are missing, unknown, of another shape or not floating point: all are listed at once.</exception>
    /// <exception cref="WeightsFileException">A file is damaged.</exception>
    internal static void Load(ITensorSource source, string name, ParameterStore store, IBackend backend, Func<string, bool> ignores)
    {
        TensorFit.Require(name, Tensors(store), source.Tensors, ignores);
        float[] buffer = [];
        foreach (Parameter parameter in store.Parameters)
        {
            int count = checked((int)parameter.Shape.Count);
            if (buffer.Length < count)
            {
                buffer = new float[count];
            }

            Span<float> values = buffer.AsSpan(0, count);
            source.ReadFloat32(parameter.Name, values);
            backend.Upload(parameter.ToStored(values), parameter.Value);
        }

        store.RenewComputeCopy();
    }

    /// <summary>The parameters as a file in F32 lists them, in order of declaration.</summary>
    internal static IReadOnlyList<SafetensorsTensor> Tensors(ParameterStore store) =>
        [.. store.Parameters.Select(parameter => Described(parameter.Name, parameter.Shape))];

    /// <summary>A tensor as a file in F32 lists it.</summary>
    internal static SafetensorsTensor Described(string name, Shape shape) => new(name, SafetensorsType.F32, Dimensions(shape));

    /// <summary>
    /// Writes a run laid out like the store's values (the values themselves, moments, an average) in fp32, replacing the file in one step.
    /// </summary>
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
                tensors.Add(Described(name, parameter.Shape));
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
