/**
 * What of a container would be gone with its supervisor, held a second time: its processes, by descriptors that tell how they ended
 * whoever reaps them, and the masters of its terminals. A supervisor that takes over is given them when it is started. Its FIFOs are
 * found again by their names, but have to be held open, those of an input as well: when nobody can write it, it has ended.
 *
 * Which they are the journals say, since the stream may be away.
 */
import {closeSync, readFileSync, statSync} from 'node:fs'
import {emptyLedger, foldEvents, type Ledger} from '../../../machines/ledger/ledger.ts'
import type {LedgerEvent, ProcessIdentity} from '../../../machines/ledger/events.ts'
import {createJournalTail, type JournalTail} from '../../journal/journal-tail.ts'
import {toFileIdentity} from '../../kernel/files.ts'
import type {Logger} from '../../kernel/log.ts'
import {listDescriptors} from '../../linux/descriptors.ts'
import {copyDescriptor, openPidfd, openPidfdOf} from '../../linux/pidfd.ts'
import {isSameProcess, listProcesses, readProcessStat} from '../../linux/process-table.ts'
import type {InheritedDescriptor} from '../../supervisor/assignment.ts'
import {type ContainerLayout, type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {listContainers} from '../directories/containers.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {createPipeKeeper, type PipePlace} from './pipes.ts'

export interface DescriptorStore {
  /** Takes hold of what is new, and lets go of what has ended. */
  look(): void
  /** Takes hold of what is new of one container, and lets go of the inputs that are to end. */
  lookAt(name: ContainerName): void
  /** Takes hold of the pipes of a process that is about to be added. */
  hold(name: ContainerName, exec: string): void
  /** What is held of a container, with the descriptors of this process. */
  held(name: ContainerName): readonly Held[]
  /**
   * What the journals say of a process: whether they still count on how it ends, which whoever reaps it first must know; or have that
   * already. Undefined of one that is in none.
   */
  find(process: Pick<ProcessIdentity, 'pid' | 'startTimeTicks'>): 'awaited' | 'recorded' | undefined
}

export type Held = InheritedDescriptor

interface Container {
  /** Of the journal when it was read last. */
  readonly file: {readonly identity: string; readonly size: bigint} | undefined
  readonly tail: JournalTail
  readonly ledger: Ledger
  readonly processes: readonly LiveProcess[]
  /** Of all processes that it ever had, those that are not reaped. */
  readonly known: readonly ProcessIdentity[]
  readonly pipes: readonly PipePlace[]
}

interface LiveProcess {
  /** Undefined for init. */
  readonly exec: string | undefined
  readonly identity: ProcessIdentity
  readonly terminal: boolean
}

export interface DescriptorStoreOptions {
  readonly directories: Directories
  readonly logger: Logger
}

export function createDescriptorStore({directories, logger}: DescriptorStoreOptions): DescriptorStore {
  const containers = new Map<string, Container>()
  /** By container, process and kind. */
  const held = new Map<string, Held>()
  const pipes = createPipeKeeper()
  /** What is still to be reaped of containers that are gone. */
  let deleted: ProcessIdentity[] = []

  return {
    look: () => {
      const names = listContainers(directories)
      for (const name of names) read(name)
      const present = new Set(names.map(toKey))
      for (const [key, {known}] of [...containers].filter(([name]) => !present.has(name))) {
        deleted.push(...known)
        containers.delete(key)
      }
      deleted = deleted.filter(isSameProcess)
      const wanted = new Set([...containers].flatMap(([key, {processes}]) => processes.flatMap((one) => toHeldKeys(key, one))))
      for (const [key, {fd}] of [...held].filter(([known]) => !wanted.has(known))) {
        closeSync(fd)
        held.delete(key)
      }
      closeOtherPipes()
      for (const name of names) holdAll(name)
    },
    lookAt: (name) => {
      read(name)
      closeOtherPipes()
      holdAll(name)
    },
    hold: (name, exec) => {
      // Known from now on, so that nobody closes them before it is started.
      read(name)
      pipes.open([{dir: toContainerLayout(directories, name, '').exec(exec).fifoDir, hasEnded: false, takesInput: true}])
    },
    held: (name) => [...held].filter(([key]) => key.startsWith(`${toKey(name)} `)).map(([, one]) => one),
    find: (process) => {
      const all = [...containers.values()]
      if (all.some(({processes}) => processes.some(({identity}) => isSame(identity, process)))) return 'awaited'
      return [...all.flatMap(({known}) => known), ...deleted].some((identity) => isSame(identity, process)) ? 'recorded' : undefined
    },
  }

  function closeOtherPipes(): void {
    pipes.closeOthers([...containers.values()].flatMap((container) => container.pipes))
  }

  function read(name: ContainerName): void {
    const layout = toContainerLayout(directories, name, '')
    const found = statSync(layout.journal, {throwIfNoEntry: false, bigint: true})
    if (!found) return
    const file = {identity: toFileIdentity(found), size: found.size}
    const former = containers.get(toKey(name)) ?? toUnread(layout)
    if (former.file?.identity === file.identity && former.file.size === file.size) return
    try {
      const {events, isOther} = former.tail.read()
      const ledger = foldEvents(events, isOther ? emptyLedger : former.ledger)
      containers.set(toKey(name), {
        file,
        tail: former.tail,
        ledger,
        processes: toLiveProcesses(ledger),
        known: [...former.known, ...events.flatMap(toProcess)].filter(isSameProcess),
        pipes: toPipePlaces(ledger, layout),
      })
    } catch (error) {
      logger.warn({err: error, ...name}, 'cannot read what is to be kept of this container')
      // The next time from its beginning.
      containers.set(toKey(name), {...former, tail: createJournalTail(layout.journal), file})
    }
  }

  function holdAll(name: ContainerName): void {
    const {processes, pipes: places} = containers.get(toKey(name)) ?? {processes: [], pipes: []}
    for (const process of processes) holdProcessOf(name, process)
    pipes.open(places)
  }

  function holdProcessOf(name: ContainerName, {exec, identity, terminal}: LiveProcess): void {
    const [processKey, terminalKey] = toHeldKeys(toKey(name), {exec, identity, terminal})
    const of = exec === undefined ? {} : {exec}
    if (processKey !== undefined && !held.has(processKey)) {
      const fd = openPidfdOf(identity)
      if (fd !== undefined) held.set(processKey, {type: 'process', ...of, pid: identity.pid, startTimeTicks: identity.startTimeTicks, fd})
    }
    if (terminalKey !== undefined && !held.has(terminalKey)) {
      const fd = holdTerminal(name, identity)
      if (fd !== undefined) held.set(terminalKey, {type: 'terminal', ...of, fd})
    }
  }

  function holdTerminal(name: ContainerName, {pid}: ProcessIdentity): number | undefined {
    const supervisor = findHolder(toContainerLayout(directories, name, '').journal)
    return supervisor === undefined ? undefined : copyMaster(supervisor, pid)
  }
}

function toUnread({journal}: ContainerLayout): Container {
  return {file: undefined, tail: createJournalTail(journal), ledger: emptyLedger, processes: [], known: [], pipes: []}
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}

function toHeldKeys(container: string, {exec = '', identity, terminal}: LiveProcess): readonly string[] {
  const key = `${container} ${exec} ${identity.pid} ${identity.startTimeTicks}`
  return [`${key} process`, ...(terminal ? [`${key} terminal`] : [])]
}

function isSame(a: Pick<ProcessIdentity, 'pid' | 'startTimeTicks'>, b: Pick<ProcessIdentity, 'pid' | 'startTimeTicks'>): boolean {
  return a.pid === b.pid && a.startTimeTicks === b.startTimeTicks
}

function toProcess(event: LedgerEvent): readonly ProcessIdentity[] {
  if (event.type === 'exec.started') return [event.data.process]
  return (event.type === 'container.created' || event.type === 'container.started') && event.data.init ? [event.data.init] : []
}

function toPipePlaces({snapshot, processes}: Ledger, layout: ContainerLayout): readonly PipePlace[] {
  const {exited, request, stdinClosed} = snapshot.context
  const own = {dir: layout.fifoDir, hasEnded: exited !== undefined, takesInput: request?.stdin === true && !stdinClosed}
  const added = [...processes].map(([exec, {context}]) => ({
    dir: layout.exec(exec).fifoDir,
    hasEnded: context.exited !== undefined,
    takesInput: context.spec?.stdin === true && !context.stdinClosed,
  }))
  return [own, ...added]
}

function toLiveProcesses({snapshot, processes}: Ledger): readonly LiveProcess[] {
  const {init, exited, terminal} = snapshot.context
  const own = init && !exited ? [{exec: undefined, identity: init, terminal}] : []
  const added = [...processes].flatMap(([exec, {context}]) =>
    context.process && !context.exited ? [{exec, identity: context.process, terminal: context.spec?.terminal === true}] : [],
  )
  return [...own, ...added]
}

/** The supervisor that has a journal open. */
function findHolder(journal: string): number | undefined {
  return listProcesses().find((pid) => isSupervisor(pid) && listDescriptors(pid).some(({target}) => target === journal))
}

function isSupervisor(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('tally-supervisor')
  } catch {
    return false
  }
}

/** A supervisor has a master for each terminal of its container; they are told apart by their numbers. */
function copyMaster(supervisor: number, pid: number): number | undefined {
  const masters = listDescriptors(supervisor).filter(({target}) => target.endsWith('/ptmx'))
  const wanted = readProcessStat(pid)?.terminal
  const master = masters.length === 1 ? masters[0] : masters.find(({fd}) => readTerminalNumber(supervisor, fd) === wanted)
  const pidfd = master && openPidfd(supervisor)
  if (!master || pidfd === undefined) return undefined
  try {
    return copyDescriptor(pidfd, master.fd)
  } catch {
    // It has closed it meanwhile, or the kernel cannot (before Linux 5.6).
    return undefined
  } finally {
    closeSync(pidfd)
  }
}

/** proc_pid_fdinfo(5): which of the terminals of its file system a master belongs to. */
function readTerminalNumber(pid: number, fd: number): number | undefined {
  try {
    const number = /^tty-index:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]
    return number === undefined ? undefined : Number(number)
  } catch {
    return undefined
  }
}
