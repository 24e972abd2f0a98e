namespace CoGrpo.Rl.Evaluation;

/// <summary>One number of an evaluation.</summary>
/// <param name="Name">Name in logs and tables.</param>
/// <param name="Value">The mean over pictures.</param>
/// <param name="Digits">Decimals that are worth showing.</param>
/// <param name="Error">Standard error of the mean, or NaN where none is told.</param>
public sealed record Score(string Name, double Value, int Digits = 3, double Error = double.NaN);
