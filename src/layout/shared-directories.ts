/**
 * The directories that the containers of a namespace share: one below the state directory, one below the run directory, and one of the
 * OCI runtime. The last container that is deleted removes them, while another may be about to be created.
 *
 * MUST hold: a shared directory exists for as long as a container uses it; achieved by an entry of each container, which is made together
 * with the directory (and made again if the directory was removed in between), and removed before it. The id is free when its state
 * directory is gone, so that is removed last: until then everything with the id's name belongs to one container.
 */
import {existsSync, mkdirSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {makeWithin, removeIfEmpty} from '../kernel/files.ts'
import type {ContainerLayout} from './container-layout.ts'

/** Takes the id, for one caller only: mkdir(2) is atomic. @throws the error of mkdir(2), EEXIST when the id is taken */
export function takeId({stateDir}: ContainerLayout): void {
  makeWithin(dirname(stateDir), () => mkdirSync(stateDir, {mode: 0o700}))
}

/** Makes the container's run directory, and that of the runtime. Idempotent. */
export function enterSharedDirectories(layout: ContainerLayout): void {
  makeWithin(dirname(layout.runDir), () => mkdirSync(layout.runDir, {recursive: true, mode: 0o700}))
  // The runtime makes its own entry later, and takes no file whose name begins with a dot for a container.
  makeWithin(layout.runtimeRoot, () => writeFileSync(layout.runtimeMark, '', {mode: 0o600}))
}

/** Removes what `enterSharedDirectories` has made. Idempotent; the runtime's own entry must be gone. */
export function leaveSharedDirectories(layout: ContainerLayout): void {
  for (const path of [layout.runtimeMark, layout.runDir]) rmSync(path, {recursive: true, force: true})
  for (const directory of [layout.runtimeRoot, dirname(layout.runDir)]) removeIfEmpty(directory)
}

/** Removes the state directory, with the journal last: where there is no journal, there is nothing else. Nothing may be mounted there. */
export function freeId({stateDir, journal}: ContainerLayout): void {
  for (const entry of existsSync(stateDir) ? readdirSync(stateDir) : []) {
    const path = join(stateDir, entry)
    if (path !== journal) rmSync(path, {recursive: true, force: true})
  }
  rmSync(journal, {force: true})
  for (const directory of [stateDir, dirname(stateDir)]) removeIfEmpty(directory)
}
