/** Notes on verbs in docs/cli.md, in addition to their help. */
export const verbNotes: Readonly<Record<string, string>> = {
  up: 'Without `-d` the command becomes the coordinator and stays in the foreground, as a service manager expects. [environment.md](environment.md) describes what the node inherits from its caller.',
  upgrade: 'Run it from the version that was installed: [upgrade.md](upgrade.md).',
  down: 'Containers continue to run, and the next `tally up` finds them.',
  run: 'In the foreground the command prints the output of the container and exits with its status. When the reader of that output ends, as in `tally run … | head`, the command exits with 0 and the container continues to run, as with docker. Limits are described in [resources.md](resources.md), privileges and seccomp in [confinement.md](confinement.md), `--restart` and `--health-*` in [health-and-restarts.md](health-and-restarts.md).',
  exec: 'The process waits while the reader of its output is slow, and gets SIGHUP when that reader ends, as in `tally exec … | head`.',
  execs: '`kill`, `wait`, `rm`, `resize`, `attach` and `chart` take the id of such a process as `--exec`.',
  checkpoint: 'Needs criu: see [checkpoints.md](checkpoints.md).',
  restore: 'Needs criu: see [checkpoints.md](checkpoints.md).',
  rm: 'The events of a deleted container stay in the stream.',
  ps: 'With `--watch` and an output that is not a terminal, each list is printed after the one before.',
  stats: '[resources.md](resources.md) says which file of the kernel each value comes from.',
  explain: 'It says what happened, when, why, at whose request, how long it took, and what was lost.',
  chart: 'Formats and examples are in [charts.md](charts.md).',
  ui: '[page.md](page.md) is a tour of the page, [http.md](http.md) describes its login.',
  stream: '[events.md](events.md#limits) describes what limits mean.',
  fsck: '[fsck.md](fsck.md) describes what it finds and what it repairs.',
}
