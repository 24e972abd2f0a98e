using CoGrpo.Runtime.Backends;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Serving;

namespace CoGrpo.Tests.Rl.Serving;

public sealed class ScheduleServiceTests
{
    private static readonly ComputeDevice Device = ComputeDevice.Cpu();

    [Fact]
    public void The_hand_made_schedule_needs_no_model()
    {
        RunConfiguration configuration = new()
        {
            Model = new() { Checkpoint = "/no/such" },
            Sampling = new()
            {
                Steps = 2,
                HandMade = new() { Guidance = 1.5, RemaskTemperature = 2 },
            },
        };
        ScheduleService service = ScheduleService.Open(configuration, Device, null, CancellationToken.None);
        Assert.Equal(
            """
            step       r   tau_s   tau_r       s
               1  0.7071  1.0000  2.0000  1.5000
               2  0.0000  1.0000  0.0000  1.5000

            """.ReplaceLineEndings("\n"), service.Table().ToPlainText());
        Assert.StartsWith("<svg", service.ToSvg(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_learned_schedule_stands_beside_the_one_it_started_from()
    {
        using ServingModel model = new(constantPolicy: true);
        ScheduleService service = ScheduleService.Open(
            model.Configuration("x") with
            {
                Sampling = new() { Steps = 5 },
            },
            Device,
            model.Checkpoint,
            CancellationToken.None
        );
        ResultTable table = service.Table();
        Assert.Equal(["step", "r", "r learned", "tau_s", "tau_s learned", "tau_r", "tau_r learned", "s", "s learned"], table.Headers);
        Assert.Equal(5, table.Rows.Count);
        string expected = (1 + Math.Exp(Math.Log(0.5) + ServingModel.ConstantAction[3])).ToString(
            "F4",
            System.Globalization.CultureInfo.InvariantCulture
        );
        Assert.Equal(("1.5000", expected), (table.Rows[2][7], table.Rows[2][8]));
        Assert.Contains("learned", service.ToSvg(), StringComparison.Ordinal);
    }
}
