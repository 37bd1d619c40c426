/** The 0, 1 and 2 of one process, be they pipes or a terminal. */
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {TallyError} from '../kernel/errors.ts'
import type {ContainerStdio} from './container-stdio.ts'
import {openContainerStdio} from './fifo-stdio.ts'
import type {ProcessStdio, ProcessStdioOptions} from './process-stdio-port.ts'
import {createStdinFifo, type NewStdinFifo, reopenStdinFifo, type StdinFifo} from './stdin-fifo.ts'
import {openTerminalStdio} from './terminal-stdio.ts'

/** `inherited`: the process has its end already. */
type Input =
  | {readonly type: 'none'}
  | {readonly type: 'new'; readonly fifo: NewStdinFifo}
  | {readonly type: 'inherited'; readonly fifo: StdinFifo}

/** For a process that is to be started. @throws TallyError STDIO_FAILED */
export async function openProcessStdio(options: ProcessStdioOptions): Promise<ProcessStdio> {
  mkdirSync(options.dir, {recursive: true, mode: 0o700})
  if (options.terminal) return openTerminalStdio(options)
  return await openPipes(
    options,
    options.stdin ? {type: 'new', fifo: createStdinFifo(join(options.dir, 'stdin'), options.owner)} : {type: 'none'},
  )
}

/** For one that another supervisor has started. A terminal whose master was not inherited is gone; its log is left. */
export async function reopenProcessStdio(options: ProcessStdioOptions): Promise<ProcessStdio> {
  mkdirSync(options.dir, {recursive: true, mode: 0o700})
  if (options.terminal && options.master !== undefined) return openTerminalStdio(options)
  const fifo = options.stdin && !options.terminal ? reopenStdinFifo(join(options.dir, 'stdin')) : undefined
  return await openPipes(options, fifo ? {type: 'inherited', fifo} : {type: 'none'})
}

async function openPipes(
  {dir, logFile, rotation, owner, now, onOutput, isUrgent}: ProcessStdioOptions,
  input: Input,
): Promise<ProcessStdio> {
  const output: ContainerStdio = await openContainerStdio({fifoDir: dir, logFile, rotation, owner, now, onOutput, isUrgent})
  const [nothing, stdout, stderr] = output.childFds
  const closeInput = () => (input.type === 'none' ? undefined : input.fifo[Symbol.dispose]())
  return {
    forRuntime: {type: 'pipes', fds: [input.type === 'new' ? input.fifo.childFd : nothing, stdout, stderr]},
    handOver: async () => {
      output.releaseChildFds()
      if (input.type === 'new') input.fifo.releaseChildFd()
    },
    write: async (bytes, account) => {
      if (input.type === 'none') throw new TallyError('STDIN_CLOSED', 'the process takes no input')
      await input.fifo.write(bytes, account)
    },
    closeInput: async () => {
      if (input.type !== 'none') await input.fifo.close()
    },
    resize: () => {},
    drain: () => output.drain(),
    totals: output.totals,
    discard: () => {
      closeInput()
      output.discard()
    },
    remove: () => output.remove(),
    [Symbol.asyncDispose]: async () => {
      closeInput()
      await output[Symbol.asyncDispose]()
    },
  }
}
