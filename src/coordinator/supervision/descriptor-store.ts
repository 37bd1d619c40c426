/**
 * What the coordinator has open of containers for the case that a shim is killed: pidfds of their processes, by which anybody learns how
 * they ended, whoever reaps them, from Linux 6.15 on; and their FIFOs. As long as the shim lives, nobody needs any of it.
 *
 * Which there are is read from the journals, since the stream may not be reachable.
 */
import {closeSync, statSync} from 'node:fs'
import {emptyLedger, foldEvents, type Ledger} from '../../../machines/ledger/ledger.ts'
import type {LedgerEvent, ProcessIdentity} from '../../../machines/ledger/events.ts'
import {createJournalTail, type JournalTail} from '../../journal/journal-tail.ts'
import {toFileIdentity} from '../../kernel/files.ts'
import type {Logger} from '../../kernel/log.ts'
import {openPidfdOf, readPidfdExit} from '../../linux/pidfd.ts'
import {isSameProcess, readProcessStat} from '../../linux/process-table.ts'
import {peekChild} from '../../linux/wait.ts'
import type {KnownExit} from '../../supervisor/assignment.ts'
import {type ContainerLayout, type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {listContainers} from '../directories/containers.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {createOpenPipes, type PipePlace} from './open-pipes.ts'

export interface DescriptorStore {
  /** Opens what is new in the journals of all containers, and closes what belongs to processes that have ended. */
  refresh(): void
  /** Opens what is new of one container, and closes the inputs that are to end. */
  refreshContainer(name: ContainerName): void
  /** The ledger of a container, as its journal has it; undefined when there is none, or it cannot be read. */
  find(name: ContainerName): Ledger | undefined
  /** The exits of a container that are not in its journal, and that are known here. */
  listExits(name: ContainerName): readonly KnownExit[]
  /** An exit that somebody else has seen: it is known here until it is in the journal. */
  note(exit: KnownExit): void
  /** What the journals say of the exit of a process: it is awaited, so its status must not be lost; recorded; or the process is in no journal. */
  findExit(process: PidAndStart): 'awaited' | 'recorded' | 'unknown'
}

type PidAndStart = Pick<ProcessIdentity, 'pid' | 'startTimeTicks'>

/** What was read of a container's journal. */
interface ReadContainer {
  /** The journal as it was; undefined before it was read. */
  readonly file: {readonly identity: string; readonly size: bigint} | undefined
  readonly tail: JournalTail
  readonly ledger: Ledger
  /** Those whose exit is not in the journal. */
  readonly live: readonly ProcessIdentity[]
  /** All processes that the container ever had and that are not reaped yet. */
  readonly unreaped: readonly ProcessIdentity[]
  readonly pipes: readonly PipePlace[]
}

export interface DescriptorStoreOptions {
  readonly directories: Directories
  readonly logger: Logger
}

export function createDescriptorStore({directories, logger}: DescriptorStoreOptions): DescriptorStore {
  const containers = new Map<string, ReadContainer>()
  /** By process. */
  const pidfds = new Map<string, number>()
  /** By process. */
  const noted = new Map<string, KnownExit>()
  const pipes = createOpenPipes()
  /** Processes of containers that are gone. */
  let unreapedOfDeleted: ProcessIdentity[] = []

  return {
    refresh: () => {
      const names = listContainers(directories)
      for (const name of names) read(name)
      const present = new Set(names.map(toKey))
      for (const [key, {unreaped}] of [...containers].filter(([name]) => !present.has(name))) {
        unreapedOfDeleted.push(...unreaped)
        containers.delete(key)
      }
      unreapedOfDeleted = unreapedOfDeleted.filter(isSameProcess)
      const wanted = new Set([...containers.values()].flatMap(({live}) => live.map(toProcessKey)))
      for (const [key, fd] of [...pidfds].filter(([open]) => !wanted.has(open))) {
        closeSync(fd)
        pidfds.delete(key)
      }
      for (const key of [...noted.keys()].filter((one) => !wanted.has(one))) noted.delete(key)
      closeOtherPipes()
      for (const name of names) openAll(name)
    },
    refreshContainer: (name) => {
      read(name)
      closeOtherPipes()
      openAll(name)
    },
    find: (name) => {
      read(name)
      return containers.get(toKey(name))?.ledger
    },
    listExits: (name) => {
      read(name)
      return (containers.get(toKey(name))?.live ?? []).flatMap((process) => readExit(process) ?? [])
    },
    note: (exit) => void noted.set(toProcessKey(exit), exit),
    findExit: (process) => {
      const all = [...containers.values()]
      if (all.some(({live}) => live.some((identity) => isSame(identity, process)))) return 'awaited'
      return [...all.flatMap(({unreaped}) => unreaped), ...unreapedOfDeleted].some((identity) => isSame(identity, process))
        ? 'recorded'
        : 'unknown'
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
        live: toLiveProcesses(ledger),
        unreaped: [...former.unreaped, ...events.flatMap(toProcess)].filter(isSameProcess),
        pipes: toPipePlaces(ledger, layout),
      })
    } catch (error) {
      logger.warn({err: error, ...name}, 'cannot read which processes and pipes this container has')
      // The next time it is read from its beginning.
      containers.set(toKey(name), {...former, tail: createJournalTail(layout.journal), file})
    }
  }

  function openAll(name: ContainerName): void {
    const {live, pipes: places} = containers.get(toKey(name)) ?? {live: [], pipes: []}
    for (const process of live) openPidfd(process)
    pipes.open(places)
  }

  function openPidfd(process: ProcessIdentity): void {
    if (pidfds.has(toProcessKey(process))) return
    const fd = openPidfdOf(process)
    if (fd !== undefined) pidfds.set(toProcessKey(process), fd)
  }

  /** A child of this process is a zombie, since nobody reaps it before its exit is in the journal. */
  function readExit(process: ProcessIdentity): KnownExit | undefined {
    const known = noted.get(toProcessKey(process))
    if (known) return known
    const {pid, startTimeTicks} = process
    const stat = readProcessStat(pid)
    const child = stat?.isZombie && stat.startTimeTicks === startTimeTicks ? peekChild(pid) : undefined
    if (child?.type === 'exited') return {pid, startTimeTicks, exit: child.exit, source: 'coordinator'}
    const fd = pidfds.get(toProcessKey(process))
    const exit = fd === undefined ? undefined : readPidfdExit(fd)
    return exit && {pid, startTimeTicks, exit, source: 'pidfd'}
  }
}

function toUnread({journal}: ContainerLayout): ReadContainer {
  return {file: undefined, tail: createJournalTail(journal), ledger: emptyLedger, live: [], unreaped: [], pipes: []}
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}

function toProcessKey({pid, startTimeTicks}: PidAndStart): string {
  return `${pid} ${startTimeTicks}`
}

function isSame(a: PidAndStart, b: PidAndStart): boolean {
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

function toLiveProcesses({snapshot, processes}: Ledger): readonly ProcessIdentity[] {
  const {init, exited} = snapshot.context
  const added = [...processes.values()].flatMap(({context}) => (context.process && !context.exited ? [context.process] : []))
  return [...(init && !exited ? [init] : []), ...added]
}
