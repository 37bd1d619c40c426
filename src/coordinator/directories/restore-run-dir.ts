/**
 * What can be put back of a run directory that somebody has wiped: systemd-tmpfiles, or a person. The FIFOs of processes are gone by name
 * and live by descriptor: a link to a descriptor of the process itself leads whoever opens the name to the very same pipe. What the OCI
 * runtime knew of a container is in its state directory a second time.
 */
import {copyFileSync, existsSync, mkdirSync, symlinkSync} from 'node:fs'
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

/** Of the containers that have no run directory, those that live get one. */
export function putBackContainers(directories: Directories, logger: Logger): void {
  for (const name of listContainers(directories)) {
    const layout = toContainerLayout(directories, name, '')
    if (existsSync(layout.runDir) || !existsSync(layout.journal)) continue
    try {
      if (putBack(name, layout)) logger.warn(name, 'its run directory was gone: put back what it has open')
    } catch (error) {
      logger.error({err: error, ...name}, 'cannot put back the run directory of this container')
    }
  }
}

/** @returns whether it lives */
function putBack({id}: ContainerName, layout: ContainerLayout): boolean {
  const {snapshot, processes} = foldEvents(readJournalFile(layout.journal))
  const {init, exited} = snapshot.context
  if (!init || exited || !isSameProcess(init)) return false
  putBackPipes(init, layout.fifoDir)
  for (const [exec, {context}] of processes)
    if (context.process && !context.exited && isSameProcess(context.process)) putBackPipes(context.process, layout.exec(exec).fifoDir)
  putBackRuntime(init, join(layout.runtimeRoot, id), layout.runtimeState)
  return true
}

function putBackPipes(process: ProcessIdentity, dir: string): void {
  for (const name of ['stdin', 'stdout', 'stderr']) putBackFile(process, join(dir, name))
}

/** Also the FIFO in which an init waits that has not been started. One that is elsewhere, as the user wanted it, has not been wiped. */
function putBackRuntime(init: ProcessIdentity, dir: string, copy: string): void {
  if (existsSync(dir) || !existsSync(copy)) return
  mkdirSync(dirname(dir), {recursive: true, mode: 0o700})
  mkdirSync(dir, {mode: 0o711})
  putBackFile(init, join(dir, 'exec.fifo'))
  copyFileSync(copy, join(dir, 'state.json'))
}

function putBackFile({pid}: ProcessIdentity, path: string): void {
  const found = listDescriptors(pid).find(({target}) => target === `${path} (deleted)` || target === `/${basename(path)} (deleted)`)
  if (!found || existsSync(path)) return
  mkdirSync(dirname(path), {recursive: true, mode: 0o700})
  symlinkSync(`/proc/${pid}/fd/${found.fd}`, path)
}
