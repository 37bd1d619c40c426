/**
 * The containers of this node. As a rule the stream, which is read anyway, has all of their events; but it may be behind, unreachable or
 * unreadable, and the journal is what counts: so each container is compared with the last line of its journal.
 */
import {statSync} from 'node:fs'
import {setImmediate as turn} from 'node:timers/promises'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {parseSource, toSource} from '../../../machines/ledger/ids.ts'
import {applyEvent, emptyLedger, foldEvents, type Ledger} from '../../../machines/ledger/ledger.ts'
import {readJournalFile} from '../../journal/file-journal.ts'
import {createJournalTail, type JournalTail} from '../../journal/journal-tail.ts'
import {readLatestEvent} from '../../journal/latest-event.ts'
import type {Logger} from '../../kernel/log.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {listContainers} from '../directories/containers.ts'

export interface NodeLedgers {
  /** @param isCaughtUp whether the stream has been read to its end: only then containers that have lost their journal are included */
  read(isCaughtUp: boolean): Promise<readonly Ledger[]>
  /** One container, as its journal has it: of a journal that has not grown nothing is read. Undefined when it is deleted, or never was. */
  find(name: ContainerName): Ledger | undefined
}

export interface NodeLedgersOptions {
  readonly node: string
  readonly directories: Directories
  /** By source, as read from the stream. */
  readonly ledgers: () => ReadonlyMap<string, Ledger>
  readonly logger: Logger
}

/** What was read of a journal. */
interface Known {
  readonly inode: number
  readonly size: number
  readonly latest: ReturnType<typeof readLatestEvent>
  /** Continued as long as the stream is behind. */
  readonly fold: Fold
}

interface Fold {
  tail: JournalTail | undefined
  ledger: Ledger
}

/** After that many folds other work gets its turn. */
const foldsAtOnce = 50

export function createNodeLedgers({node, directories, ledgers, logger}: NodeLedgersOptions): NodeLedgers {
  let journals = new Map<string, Known>()

  return {
    read: async (isCaughtUp) => {
      const found = new Map<string, Ledger>()
      const read = new Map<string, Known>()
      let folds = 0
      for (const {namespace, id} of listContainers(directories)) {
        const source = toSource({node, namespace, id})
        const {journal} = toContainerLayout(directories, {namespace, id}, '')
        const known = look(journal, journals.get(journal))
        if (known) read.set(journal, known)
        const streamed = ledgers().get(source)
        if (known?.latest?.type === 'container.deleted') continue
        if (known && isBehind(streamed, known)) {
          const ledger = readOn(journal, known.fold) ?? streamed
          folds += 1
          if (folds % foldsAtOnce === 0) await turn()
          if (ledger) found.set(source, ledger)
        } else if (streamed) {
          if (known) known.fold.tail = undefined
          found.set(source, streamed)
        }
      }
      journals = read
      if (isCaughtUp) for (const [source, ledger] of ledgers()) if (isOrphan(source, read, found)) found.set(source, ledger)
      return [...found.values()]
    },
    find: ({namespace, id}) => {
      const {journal} = toContainerLayout(directories, {namespace, id}, '')
      const known = look(journal, journals.get(journal))
      if (!known || known.latest?.type === 'container.deleted') return undefined
      journals.set(journal, known)
      const streamed = ledgers().get(toSource({node, namespace, id}))
      return isBehind(streamed, known) ? (readOn(journal, known.fold) ?? streamed) : streamed
    },
  }

  /** A container that has lost its journal, and of which the stream has no deletion. */
  function isOrphan(source: string, read: ReadonlyMap<string, Known>, found: ReadonlyMap<string, Ledger>): boolean {
    if (found.has(source) || !source.startsWith(toSourcePrefix(node))) return false
    const [namespace = '', id = ''] = source.slice(toSourcePrefix(node).length).split('/')
    return !read.has(toContainerLayout(directories, {namespace, id}, '').journal)
  }

  /** Undefined when there is no journal, or nothing in it that can be read. */
  function look(journal: string, former: Known | undefined): Known | undefined {
    try {
      const {ino: inode, size} = statSync(journal)
      if (former?.inode === inode && former.size === size) return former
      const latest = readLatestEvent(journal)
      if (!latest) return undefined
      const isSame = former?.inode === inode && former.latest?.uid === latest.uid
      return {inode, size, latest, fold: isSame ? former.fold : {tail: undefined, ledger: emptyLedger}}
    } catch {
      // Deleted in the meantime, or damaged, which its supervisor has reported.
      return undefined
    }
  }

  function readOn(journal: string, fold: Fold): Ledger | undefined {
    try {
      const isFirst = fold.tail === undefined
      fold.tail ??= createJournalTail(journal)
      const {events, isOther} = fold.tail.read()
      fold.ledger = foldEvents(events, isFirst || isOther ? emptyLedger : fold.ledger)
      return fold.ledger
    } catch (error) {
      logger.debug({err: error, journal}, 'cannot read a journal; using the stream instead')
      fold.tail = undefined
      return undefined
    }
  }
}

/** The container as it was before an event of the stream, from its journal; undefined when it is not of this node, or the journal is gone. */
export function readBefore(
  {node, directories}: Pick<NodeLedgersOptions, 'node' | 'directories'>,
  {source, uid, sequence}: LedgerEvent,
): Ledger | undefined {
  const address = parseSource(source)
  if (address?.node !== node) return undefined
  let ledger = emptyLedger
  try {
    for (const event of readJournalFile(toContainerLayout(directories, address, '').journal)) {
      if (event.uid !== uid) return undefined
      if (event.sequence >= sequence) return ledger
      ;({ledger} = applyEvent(ledger, event))
    }
  } catch {
    // Deleted in the meantime, or damaged, which its supervisor has reported.
  }
  return undefined
}

function isBehind(streamed: Ledger | undefined, {latest}: Known): boolean {
  return latest !== undefined && (streamed?.latest?.uid !== latest.uid || streamed.latest.sequence < latest.sequence)
}

function toSourcePrefix(node: string): string {
  return `/tally/${node}/`
}
