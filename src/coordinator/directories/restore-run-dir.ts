/**
 * Puts back what can be put back of a run directory that systemd-tmpfiles or a person has wiped. The FIFOs of processes have no name any
 * more, but the processes have them open: a link to a descriptor of the process leads to the very same pipe. What the OCI runtime knew of
 * a container is in the state directory a second time.
 *
 * MUST hold: a coordinator that is killed while it does this is followed by one that does the rest; achieved by looking at each file, and not at the directory that it is
 * in, and by putting the runtime's state in its place with one rename.
 */
import {copyFileSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import {foldEvents} from '../../../machines/ledger/ledger.ts'
import {readJournalFile} from '../../journal/file-journal.ts'
import type {Logger} from '../../kernel/log.ts'
import {listDescriptors} from '../../linux/descriptors.ts'
import {isSameProcess} from '../../linux/process-table.ts'
import {type ContainerLayout, type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {listContainers} from './containers.ts'
import type {ContainerName} from '../../layout/container-name.ts'

/**
 * Puts back the files of live containers that are missing.
 * @param which `all`: every file is looked at; `absent`: only containers that have no run directory at all, which is quick to see
 */
export function restoreContainers(directories: Directories, which: 'all' | 'absent', logger: Logger): void {
  for (const name of listContainers(directories)) {
    const layout = toContainerLayout(directories, name, '')
    if ((which === 'absent' && existsSync(layout.runDir)) || !existsSync(layout.journal)) continue
    try {
      if (restoreContainer(name, layout) > 0) logger.warn(name, 'its run directory was gone: what it has open is put back')
    } catch (error) {
      logger.error({err: error, ...name}, 'cannot put back the run directory of this container')
    }
  }
}

/** @returns how many files were put back */
function restoreContainer({id}: ContainerName, layout: ContainerLayout): number {
  const {snapshot, processes} = foldEvents(readJournalFile(layout.journal))
  const {init, exited} = snapshot.context
  if (!init || exited || !isSameProcess(init)) return 0
  const added = [...processes].flatMap(([exec, {context}]) =>
    context.process && !context.exited && isSameProcess(context.process) ? [{of: context.process, dir: layout.exec(exec).fifoDir}] : [],
  )
  const pipes = [{of: init, dir: layout.fifoDir}, ...added].flatMap(({of, dir}) =>
    ['stdin', 'stdout', 'stderr'].map((name) => restoreFile(of, join(dir, name), join(dir, name))),
  )
  return [...pipes, restoreRuntime(init, join(layout.runtimeRoot, id), layout.runtimeState)].filter(Boolean).length
}

/** With the FIFO in which an init waits that was not started yet. A runtime directory outside of the run directory was not wiped. */
function restoreRuntime(init: ProcessIdentity, dir: string, copy: string): boolean {
  if (existsSync(dir) || !existsSync(copy)) return false
  const next = `${dir}.new`
  rmSync(next, {recursive: true, force: true})
  mkdirSync(dirname(dir), {recursive: true, mode: 0o700})
  mkdirSync(next, {mode: 0o711})
  restoreFile(init, join(dir, 'exec.fifo'), join(next, 'exec.fifo'))
  copyFileSync(copy, join(next, 'state.json'))
  renameSync(next, dir)
  return true
}

/** Links `target` to what the process has open and what was called `path`, if it has. */
function restoreFile({pid}: ProcessIdentity, path: string, target: string): boolean {
  if (existsSync(target)) return false
  const found = listDescriptors(pid).find((open) => open.target === `${path} (deleted)` || open.target === `/${basename(path)} (deleted)`)
  if (!found) return false
  mkdirSync(dirname(target), {recursive: true, mode: 0o700})
  // A link that was put back before, to a descriptor that the process has closed.
  if (lstatSync(target, {throwIfNoEntry: false})?.isSymbolicLink()) rmSync(target)
  symlinkSync(`/proc/${pid}/fd/${found.fd}`, target)
  return true
}
