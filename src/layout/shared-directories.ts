/**
 * The directories that containers of a namespace share: one below the state directory, one below the run directory, and one of the
 * runtime's. The last container that leaves removes them, while another may be about to arrive.
 *
 * MUST hold: a shared directory is there for as long as a container is at work in it; achieved by an entry of the container's own,
 * made together with the directory (again, when that went in between), and taken away before it. The id is free when its state
 * directory is gone, so that goes last: what has the id's name belongs to one life until then.
 */
import {existsSync, mkdirSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {makeWithin, removeIfEmpty} from '../kernel/files.ts'
import type {ContainerLayout} from './container-layout.ts'

/** Takes the id, at once and for one caller only: mkdir(2) is atomic. @throws the error of mkdir(2), EEXIST where somebody has it */
export function takeId({stateDir}: ContainerLayout): void {
  makeWithin(dirname(stateDir), () => mkdirSync(stateDir, {mode: 0o700}))
}

/** Makes the run directory, and the runtime's. Idempotent. */
export function enterSharedDirectories(layout: ContainerLayout): void {
  makeWithin(dirname(layout.runDir), () => mkdirSync(layout.runDir, {recursive: true, mode: 0o700}))
  // The runtime makes its own entry later; a file with a dot before its name is none of its containers.
  makeWithin(layout.runtimeRoot, () => writeFileSync(layout.runtimeMark, '', {mode: 0o600}))
}

/** What was made by entering. Idempotent; the runtime's own entry has to be gone. */
export function leaveSharedDirectories(layout: ContainerLayout): void {
  for (const path of [layout.runtimeMark, layout.runDir]) rmSync(path, {recursive: true, force: true})
  for (const directory of [layout.runtimeRoot, dirname(layout.runDir)]) removeIfEmpty(directory)
}

/** The journal is the last to go: whoever finds none finds nothing else either. Nothing may be mounted there. */
export function freeId({stateDir, journal}: ContainerLayout): void {
  for (const entry of existsSync(stateDir) ? readdirSync(stateDir) : []) {
    const path = join(stateDir, entry)
    if (path !== journal) rmSync(path, {recursive: true, force: true})
  }
  rmSync(journal, {force: true})
  for (const directory of [stateDir, dirname(stateDir)]) removeIfEmpty(directory)
}
