/** The 0, 1 and 2 of one process, be they pipes or a terminal, and whatever its supervisor does with them. */
import type {ProcessStdio, ProcessStdioOptions} from './process-stdio-port.ts'
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {TallyError} from '../kernel/errors.ts'
import type {ContainerStdio} from './container-stdio.ts'
import {openContainerStdio} from './fifo-stdio.ts'
import {createStdinFifo, reopenStdinFifo, type StdinFifo} from './stdin-fifo.ts'
import {openTerminalStdio} from './terminal-stdio.ts'

/** For a process that is to be started. @throws TallyError STDIO_FAILED */
export async function openProcessStdio(options: ProcessStdioOptions): Promise<ProcessStdio> {
  mkdirSync(options.dir, {recursive: true, mode: 0o700})
  if (options.terminal) return openTerminalStdio(options)
  return await openPipes(options, options.stdin ? createStdinFifo(join(options.dir, 'stdin'), options.owner) : undefined)
}

/** For one that another supervisor has started. A terminal that nobody has kept went with that one: what is left is its log. */
export async function reopenProcessStdio(options: ProcessStdioOptions): Promise<ProcessStdio> {
  mkdirSync(options.dir, {recursive: true, mode: 0o700})
  if (options.terminal && options.master !== undefined) return openTerminalStdio(options)
  return await openPipes(options, options.stdin && !options.terminal ? reopenStdinFifo(join(options.dir, 'stdin')) : undefined)
}

async function openPipes(
  {dir, logFile, rotation, owner, now, onOutput, isUrgent}: ProcessStdioOptions,
  stdin: StdinFifo | undefined,
): Promise<ProcessStdio> {
  const output: ContainerStdio = await openContainerStdio({fifoDir: dir, logFile, rotation, owner, now, onOutput, isUrgent})
  const [nothing, stdout, stderr] = output.childFds
  return {
    forRuntime: {type: 'pipes', fds: [stdin?.childFd ?? nothing, stdout, stderr]},
    handOver: async () => {
      output.releaseChildFds()
      stdin?.releaseChildFd()
    },
    write: async (bytes, account) => {
      if (!stdin) throw new TallyError('STDIN_CLOSED', 'the process takes no input')
      await stdin.write(bytes, account)
    },
    closeInput: async () => await stdin?.close(),
    resize: () => {},
    drain: () => output.drain(),
    totals: output.totals,
    discard: () => {
      stdin?.[Symbol.dispose]()
      output.discard()
    },
    remove: () => output.remove(),
    [Symbol.asyncDispose]: async () => {
      stdin?.[Symbol.dispose]()
      await output[Symbol.asyncDispose]()
    },
  }
}
