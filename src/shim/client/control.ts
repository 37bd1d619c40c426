/** What a coordinator says to a shim over its socket in the run directory, whether its supervisor is there or not. */
import {closeSync, openSync} from 'node:fs'
import {connect, type Socket} from 'node:net'
import {basename, dirname} from 'node:path'
import {createCalls} from './calls.ts'
import {toWaitStatus, type WaitStatus} from './exit-record.ts'
import {leavings, noStatus, type Phase, phases, type Reply} from './frames.ts'

export interface ShimStatus {
  readonly protocol: number
  readonly phase: Phase
  /** Whether the supervisor that is up is about to end. */
  readonly leaving: (typeof leavings)[number]
  /** Of the supervisor; undefined while there is none. */
  readonly pid: number | undefined
  readonly starts: number
  readonly deaths: number
  /** How the supervisor before has ended. */
  readonly last: WaitStatus | undefined
  /** When the next is started, and when it is woken; milliseconds since boot. */
  readonly startAtMs: number | undefined
  readonly deadlineMs: number | undefined
  /** Processes that are watched, and those of them whose end is not acknowledged. */
  readonly watched: number
  readonly ended: number
  readonly stdios: number
}

export interface ShimControl extends Disposable {
  /**
   * There will be a supervisor that has seen everything from before this call, unless the phase says `gave-up`.
   * @param force one that has been given up is tried again
   */
  wake(options?: {readonly force?: boolean}): Promise<ShimStatus>
  status(): Promise<ShimStatus>
  /** As it is now, and after each change. */
  follow(onStatus: (status: ShimStatus) => void): Promise<void>
  /** What is started the next time. */
  command(argv: readonly string[]): Promise<void>
  /** Resolves when the other image has taken over, which closes this connection. @throws ShimError */
  upgrade(image: string): Promise<void>
}

export interface ConnectOptions {
  readonly onEnd?: (why: Error) => void
}

/** struct sockaddr_un has room for so many bytes of path (unix(7)). */
const longestPath = 107

/** @throws Error ENOENT or ECONNREFUSED when there is no shim */
export async function connectShimControl(path: string, {onEnd}: ConnectOptions = {}): Promise<ShimControl> {
  const socket = await open(path)
  const ended = Promise.withResolvers<void>()
  const calls = createCalls(socket, {
    onFrame: () => {},
    onEnd: (why) => {
      ended.resolve()
      onEnd?.(why)
    },
  })
  return {
    wake: async ({force = false} = {}) => toStatus(await calls.call('wake', {force})),
    status: async () => toStatus(await calls.call('status', {follow: false})),
    follow: (onStatus) => calls.subscribe('status', {follow: true}, (reply) => onStatus(toStatus(reply))),
    command: async (argv) => void (await calls.call('command', {argv})),
    upgrade: async (image) => {
      const refused = calls.call('upgrade', {image})
      // A connection that ends is the answer of the other image.
      await Promise.race([refused.catch((error: unknown) => (isReset(error) ? undefined : Promise.reject(error))), ended.promise])
    },
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

async function open(path: string): Promise<Socket> {
  // By descriptor where the path is longer than an address can be.
  const directory = Buffer.byteLength(path) > longestPath ? openSync(dirname(path), 'r') : undefined
  try {
    const socket = connect(directory === undefined ? path : `/proc/self/fd/${directory}/${basename(path)}`)
    const {promise, resolve, reject} = Promise.withResolvers<void>()
    socket.once('connect', resolve).once('error', reject)
    await promise
    socket.off('error', reject)
    return socket
  } finally {
    if (directory !== undefined) closeSync(directory)
  }
}

function toStatus({phase, leaving, pid, lastStatus, ...rest}: Reply<'status'>): ShimStatus {
  return {
    ...rest,
    phase: phases[phase] ?? 'waiting',
    leaving: leavings[leaving] ?? 'stays',
    pid: pid === 0 ? undefined : pid,
    last: lastStatus === noStatus ? undefined : toWaitStatus(lastStatus),
  }
}
