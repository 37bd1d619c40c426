/** The stdio of a process under a real shim, for tests. */
import {createHash} from 'node:crypto'
import {mkdirSync, readlinkSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {nobody, type RequestFields, stdioFlags} from '../../src/shim/client/frames.ts'
import {readLog} from '../../src/stdio/log-file.ts'
import {createOutputReader} from '../../src/stdio/output-reader.ts'
import type {StreamName} from '../../src/stdio/streams.ts'
import {quote, type ShimHarness, type TestSupervisor} from './shim-harness.ts'

export interface TestStdio {
  readonly stdio: number
  readonly directory: string
  readonly log: string
  /** Runs a shell script with it. @returns its status */
  run(script: string): Promise<number>
  /** The same, as a child of the shim. @returns its pid */
  orphan(script: string): Promise<number>
  watch(script: string): Promise<number>
  text(stream?: StreamName): string
}

type OpenFields = Partial<RequestFields<'open'>> & {readonly input?: boolean}

export async function openStdio(
  {dir}: Pick<ShimHarness, 'dir'>,
  {shim, run, orphan, watch}: Pick<TestSupervisor, 'shim' | 'run' | 'orphan' | 'watch'>,
  {input = false, ...fields}: OpenFields = {},
): Promise<TestStdio> {
  const stdio = fields.stdio ?? 0
  const directory = fields.directory ?? join(dir, `io-${stdio}`)
  const log = fields.log ?? join(dir, `state-${stdio}`, 'log')
  mkdirSync(directory, {recursive: true})
  mkdirSync(join(log, '..'), {recursive: true})
  await shim.call('open', {
    ...{stdio, name: `stdio-${stdio}`, uid: nobody, gid: nobody, maxBytes: 0, maxFiles: 0, columns: 0, rows: 0},
    flags: input ? stdioFlags.input : 0,
    ...fields,
    ...{directory, log},
  })
  const redirected = (script: string) =>
    `exec sh -c ${quote(script)} ${input ? `<${directory}/stdin` : '</dev/null'} 1<>${directory}/stdout 2<>${directory}/stderr`
  // A supervisor opens them before it runs the runtime; here the process does, a moment after it has been started.
  const untilOpen = async (pid: number): Promise<number> => {
    while (input && isWithoutInput(pid, `${directory}/stdin`)) await sleep(2)
    return pid
  }
  return {
    stdio,
    directory,
    log,
    run: (script) => run(redirected(script)),
    orphan: async (script) => await untilOpen(await orphan(redirected(script))),
    watch: async (script) => await untilOpen(await watch(redirected(script))),
    text: (stream = 'stdout') => createOutputReader(log).read(stream, 0, 400_000_000).bytes.toString('latin1'),
  }
}

function isWithoutInput(pid: number, fifo: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/0`) !== fifo
  } catch {
    // It has ended.
    return false
  }
}

/** Of a stream of a log that is too large for one string. */
export function hashLog(log: string, stream: StreamName): {readonly bytes: number; readonly sha256: string; readonly cut: number} {
  const hash = createHash('sha256')
  let [bytes, cut] = [0, 0]
  for (const entry of readLog(log)) {
    if (entry.stream !== stream) continue
    hash.update(entry.line.subarray(entry.text))
    bytes += entry.line.length - entry.text
    if (entry.isFull) {
      hash.update('\n')
      bytes += 1
    } else cut += 1
  }
  return {bytes, sha256: hash.digest('hex'), cut}
}
