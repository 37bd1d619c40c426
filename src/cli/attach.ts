/** `attach`: connects the terminal to a running container. Several clients can be attached at once. */
import type {Command} from 'commander'
import {exitAsProcess} from './as-process.ts'
import {checkDetachKeys} from './detach-keys.ts'
import {type NodeOptions, resolveNodeOptions} from './node-options.ts'
import {runSession, toSessionExitCode} from './session.ts'
import {addVerb, connect} from './verb.ts'
import {watchSignals} from './watch-signals.ts'

interface AttachFlags {
  readonly exec?: string
  readonly detachKeys?: string
  readonly stdin: boolean
  readonly sigProxy: boolean
}

export function addAttach(program: Command): void {
  addVerb(program, 'attach', 'attach standard input, output and error to a running container, and exit with its status')
    .argument('<id>')
    .option('--exec <exec-id>', 'attach to an exec process instead')
    .option('--no-stdin', 'do not attach standard input')
    .option('--no-sig-proxy', 'do not forward signals to the process')
    .option('--detach-keys <keys>', 'key sequence for detaching from the container (default: ctrl-p,ctrl-q)', checkDetachKeys)
    .action(async (id: string, flags: AttachFlags, command: Command) => {
      await exitAsProcess(command, () => attach(resolveNodeOptions(command), id, flags))
    })
}

async function attach(options: NodeOptions, id: string, flags: AttachFlags): Promise<number> {
  const {exec} = flags
  using signals = watchSignals()
  await using client = await connect(options)
  const container = client.container(id, options.namespace)
  const {terminal = false, stdin = false} = await (exec === undefined ? container.state() : container.process(exec).state())
  const name = exec === undefined ? `container ${id}` : `process ${exec} of container ${id}`
  const end = await runSession(client, {
    toProcess: (present) => {
      const joined = present.container(id, options.namespace)
      return exec === undefined ? joined : joined.process(exec)
    },
    name,
    start: async () => {},
    from: 'now',
    hold: false,
    input: flags.stdin && stdin,
    terminal,
    detachKeys: flags.detachKeys,
    forwardSignals: flags.sigProxy,
    signals,
  })
  return toSessionExitCode(end, name)
}
