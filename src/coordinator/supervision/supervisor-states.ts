/** What the supervisor of each container is, as shims, locks and the coordinator's own standing tell, without asking any supervisor. */
import {statSync} from 'node:fs'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {readLockHolders} from '../../linux/locks.ts'
import type {ShimStatus} from '../../shim/client/control.ts'

/**
 * `awake`: there is a process, or one is about to be started. `asleep`: there is none before there is something to do. `none`: neither a
 * supervisor nor a shim, since the container has no process. `gave-up`: they died too often. `missing`: nobody looks after it.
 */
export const supervisorStates = ['awake', 'asleep', 'none', 'gave-up', 'missing'] as const
export type SupervisorState = (typeof supervisorStates)[number]

/** What is known of one container. */
export interface SupervisorSigns {
  /** Somebody has its journal locked: its supervisor. */
  readonly isLocked: boolean
  /** What its shim told last; undefined when there is none. */
  readonly status: Pick<ShimStatus, 'phase'> | undefined
  /** The coordinator receives its requests. */
  readonly isStoodInFor: boolean
  /** Its ledger says that it has no supervisor. */
  readonly isUnsupervised: boolean
}

export function toSupervisorState({isLocked, status, isStoodInFor, isUnsupervised}: SupervisorSigns): SupervisorState {
  if (isLocked) return 'awake'
  if (status) return status.phase === 'gave-up' || status.phase === 'asleep' ? status.phase : 'awake'
  if (isUnsupervised) return 'gave-up'
  return isStoodInFor ? 'none' : 'missing'
}

export interface SupervisorStatesDependencies {
  readonly directories: Directories
  readonly status: (name: ContainerName) => ShimStatus | undefined
  readonly isStoodInFor: (name: ContainerName) => boolean
  /** As read from the stream. */
  readonly find: (name: ContainerName) => Ledger | undefined
}

/** @returns of a container, at the time of the outer call; undefined when it has no journal (any more) */
export function readSupervisorStates({
  directories,
  status,
  isStoodInFor,
  find,
}: SupervisorStatesDependencies): (name: ContainerName) => SupervisorState | undefined {
  const locked = readLockHolders()
  return (name) => {
    const journal = statSync(toContainerLayout(directories, name, '').journal, {throwIfNoEntry: false})
    return (
      journal &&
      toSupervisorState({
        isLocked: locked.has(journal.ino),
        status: status(name),
        isStoodInFor: isStoodInFor(name),
        isUnsupervised: find(name)?.snapshot.context.unsupervised === true,
      })
    )
  }
}

/** All of them, also those that no container has. */
export function countSupervisors(states: readonly SupervisorState[]): Readonly<Record<SupervisorState, number>> {
  const count = (wanted: SupervisorState) => states.filter((state) => state === wanted).length
  return {awake: count('awake'), asleep: count('asleep'), none: count('none'), 'gave-up': count('gave-up'), missing: count('missing')}
}
