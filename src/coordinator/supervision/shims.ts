/**
 * The shims of a node's containers, as their control sockets tell: one connection to each is kept open. A shim is not asked for anything
 * that would wake its supervisor.
 *
 * MUST hold: a container is never taken for one without a shim because its shim is slow; achieved by believing only that nobody listens.
 */
import type {ConnectOptions, ShimControl, ShimStatus} from '../../shim/client/control.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerName} from '../../layout/container-name.ts'

export interface Shims extends Disposable {
  /** Connects to those that are not connected. Resolves when each of them has accepted or is known to be absent, or after half a second. */
  refresh(): Promise<void>
  connect(name: ContainerName): Promise<void>
  /** False when nobody listens on the socket of the container. True as well of one that has not been asked yet. */
  has(name: ContainerName): boolean
  /** What it told last; undefined when it is absent, or has not told anything yet. */
  status(name: ContainerName): ShimStatus | undefined
  /**
   * Has it start a supervisor that sees everything from before this call.
   * @param options.force also after it has given up
   * @returns undefined when there is no shim
   * @throws ShimError ECONNRESET when it closes each connection that is made to it
   */
  wake(name: ContainerName, options?: {readonly force?: boolean}): Promise<ShimStatus | undefined>
  /** Calls at each change. @param former undefined of the first on this connection */
  onStatus(listener: (name: ContainerName, status: ShimStatus, former: ShimStatus | undefined) => void): void
  /** Calls when one that was connected has ended: nobody listens any more. */
  onEnd(listener: (name: ContainerName) => void): void
}

export interface ShimsDependencies {
  readonly listContainers: () => readonly ContainerName[]
  readonly connect: (name: ContainerName, options: ConnectOptions) => Promise<ShimControl>
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

type Link =
  /** Not asked yet, or its connection has just ended: it may be replacing its image. */
  | {readonly type: 'unknown'; readonly wasOpen: boolean}
  | {readonly type: 'absent'}
  | {readonly type: 'open'; readonly control: ShimControl; readonly status: ShimStatus | undefined}

const patienceMs = 500
const mostWakes = 3

export function createShims({listContainers, connect, clock, logger}: ShimsDependencies): Shims {
  const links = new Map<string, Link>()
  const attempts = new Map<string, Promise<void>>()
  const onStatuses: ((name: ContainerName, status: ShimStatus, former: ShimStatus | undefined) => void)[] = []
  const onEnds: ((name: ContainerName) => void)[] = []
  let isClosed = false

  return {
    refresh: async () => {
      const names = listContainers()
      const present = new Set(names.map(toKey))
      for (const [key, {type}] of [...links]) if (type !== 'open' && !present.has(key)) links.delete(key)
      await Promise.race([Promise.all(names.map(attempt)), clock.sleep(patienceMs)])
    },
    connect: attempt,
    has: (name) => find(name).type !== 'absent',
    status: getStatus,
    wake: async (name, options) => {
      for (let attempts = 1; ; attempts += 1) {
        await attempt(name)
        const link = find(name)
        if (link.type !== 'open') return undefined
        try {
          return await link.control.wake(options)
        } catch (error) {
          if (!isReset(error) || attempts === mostWakes) throw error
          // Nothing was accepted: it has ended, or has replaced its image.
          lose(name, link.control)
        }
      }
    },
    onStatus: (listener) => void onStatuses.push(listener),
    onEnd: (listener) => void onEnds.push(listener),
    [Symbol.dispose]: () => {
      isClosed = true
      for (const link of links.values()) if (link.type === 'open') link.control[Symbol.dispose]()
      links.clear()
    },
  }

  function find(name: ContainerName): Link {
    return links.get(toKey(name)) ?? {type: 'unknown', wasOpen: false}
  }

  function getStatus(name: ContainerName): ShimStatus | undefined {
    const link = find(name)
    return link.type === 'open' ? link.status : undefined
  }

  /** One at a time. */
  async function attempt(name: ContainerName): Promise<void> {
    const key = toKey(name)
    if (isClosed || find(name).type === 'open') return
    const running = attempts.get(key) ?? open(name).finally(() => attempts.delete(key))
    attempts.set(key, running)
    await running
  }

  async function open(name: ContainerName): Promise<void> {
    const key = toKey(name)
    const ended = Promise.withResolvers<void>()
    try {
      const control = await connect(name, {onEnd: () => ended.resolve()})
      if (isClosed) return control[Symbol.dispose]()
      links.set(key, {type: 'open', control, status: undefined})
      void ended.promise.then(() => lose(name, control))
      // It may be stopped: then this takes as long as that.
      control
        .follow((status) => note(name, control, status))
        .catch((error: unknown) => logger.debug({err: error, ...name}, 'a shim tells nothing'))
    } catch (error) {
      if (isClosed) return
      if (isNobodyThere(error)) {
        const former = find(name)
        links.set(key, {type: 'absent'})
        if (former.type === 'unknown' && former.wasOpen) for (const onEnd of onEnds) onEnd(name)
      } else logger.warn({err: error, ...name}, 'cannot connect to the shim of this container')
    }
  }

  function lose(name: ContainerName, control: ShimControl): void {
    const link = find(name)
    if (isClosed || link.type !== 'open' || link.control !== control) return
    links.set(toKey(name), {type: 'unknown', wasOpen: true})
    void attempt(name)
  }

  function note(name: ContainerName, control: ShimControl, status: ShimStatus): void {
    const link = find(name)
    if (link.type !== 'open' || link.control !== control) return
    links.set(toKey(name), {...link, status})
    for (const onStatus of onStatuses) onStatus(name, status, link.status)
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

/** No socket, or one that was left by a shim that was killed. */
function isNobodyThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}
