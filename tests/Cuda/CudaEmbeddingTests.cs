using CoGrpo.Runtime;
using CoGrpo.Tests.Runtime.OperationTable;

namespace CoGrpo.Tests.Cuda;

/// <summary>
/// The scatter of embedding gradients with as many ids as a batch of canvases has, half of them masked, and with a table as long as that of a text
/// encoder.
/// </summary>
public sealed class CudaEmbeddingTests(EmulatedBackend device) : IClassFixture<EmulatedBackend>
{
    [Theory]
    [InlineData(16, 4096, 8256, ElementType.BFloat16)]
    [InlineData(16, 77, 49408, ElementType.Float32)]
    public void ScattersManyIdsIntoManyRows(int images, int tokens, int rows, ElementType storage) =>
        device.Use(
            EmulatedBackend.Sm80,
            storage,
            backend =>
            {
                EmbeddingBackwardRow row = new(images, tokens, rows, 4, masked: true);
                OperationChecks.Accuracy(backend, row, new EmulatedBackend.MemoryWatch());
            }
        );
}
