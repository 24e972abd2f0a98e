using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Vq;

/// <summary>One pass over some pictures: where it runs, the maps it uses, and who wants to see values on the way.</summary>
/// <param name="Backend">Where operations run; one that plans where the pass only measures.</param>
/// <param name="Memory">The maps.</param>
/// <param name="Trace">Called with the name and value of each intermediate of the golden fixtures.</param>
internal sealed record VqPass(IBackend Backend, VqMemory Memory, Action<string, Tensor>? Trace)
{
    /// <summary>The stream.</summary>
    public Tensor Stream => Memory.Stream;

    /// <summary>A map of the stream's images and type with other sizes in free map <paramref name="which"/>.</summary>
    public Tensor Free(int which, int height, int width, int channels) => Free(which, height, width, channels, Stream.Type);

    /// <summary>As the other, of another type.</summary>
    public Tensor Free(int which, int height, int width, int channels, ElementType type) =>
        Memory.Free(which, new Shape(Stream.Shape[0], height, width, channels), type);

    /// <summary>The stream := its 3x3 convolution.</summary>
    public void Convolve(VqConv convolution, ConvForm form = ConvForm.Same)
    {
        Shape s = Stream.Shape;
        (int height, int width) = form switch
        {
            ConvForm.Halved => (s[1] / 2, s[2] / 2),
            ConvForm.Doubled => (2 * s[1], 2 * s[2]),
            _ => (s[1], s[2]),
        };
        Convolve(convolution, Free(0, height, width, convolution.Outputs), form);
    }

    /// <summary>The stream := its 3x3 convolution, in fp32.</summary>
    public void ConvolveWide(VqConv convolution) =>
        Convolve(convolution, Free(0, Stream.Shape[1], Stream.Shape[2], convolution.Outputs, ElementType.Float32), ConvForm.Same);

    /// <summary>The stream := its 1x1 convolution, of <paramref name="type"/>.</summary>
    public void Project(VqPointwise projection, ElementType type)
    {
        Tensor y = Free(0, Stream.Shape[1], Stream.Shape[2], projection.Outputs, type);
        projection.Run(Backend, Stream, y);
        Memory.MoveTo(0, y);
    }

    /// <summary>Shows the stream under a name.</summary>
    public void Show(string name) => Trace?.Invoke(name, Stream);

    private void Convolve(VqConv convolution, Tensor y, ConvForm form)
    {
        convolution.Run(Backend, Stream, y, form);
        Memory.MoveTo(0, y);
    }
}
