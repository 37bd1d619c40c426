import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {parseSource} from '../../../machines/ledger/ids.ts'
import type {FoldObserver} from '../ledgers/projection.ts'
import type {DescriptorStore} from './descriptor-store.ts'

/** With these a container gets other FIFOs, or an input ends: for which the coordinator has to close it, too. */
const changes: ReadonlySet<LedgerEvent['type']> = new Set(['container.created', 'container.stdin-closed', 'exec.stdin-closed'])

/** Refreshes the descriptors of a container of this node as soon as the stream says that its FIFOs have changed. */
export function createInputFollower(node: string, descriptors: Pick<DescriptorStore, 'refreshContainer'>): FoldObserver {
  return {
    onFolded: (event) => {
      if (!changes.has(event.type)) return
      const container = parseSource(event.source)
      if (container?.node === node) descriptors.refreshContainer(container)
    },
    onReset: () => {},
  }
}
