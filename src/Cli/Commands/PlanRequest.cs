using CoGrpo.Rl.Configuration;
using CoGrpo.Runtime.Diagnostics;

namespace CoGrpo.Cli.Commands;

/// <summary>What <c>plan</c> is asked.</summary>
/// <param name="Configuration">The run.</param>
/// <param name="Devices">Whose times to model; none for a run on the CPU. The first one's are compared.</param>
/// <param name="Memory">Bytes that the run may take, or null to ask no verdict.</param>
internal sealed record PlanRequest(RunConfiguration Configuration, IReadOnlyList<DeviceModel> Devices, long? Memory);
