namespace CoGrpo.CudaEmulator.Cublas;

/// <summary>D := α op(A) op(B) + bias + β D, one bias per row of D.</summary>
internal sealed record Product(ProductDescriptor Descriptor, MatrixLayout A, MatrixLayout B, MatrixLayout D);
