/** The OCI runtime as this container uses it: the program and root that its create names, and the files that the runtime reads. */
import {type CreateRequest, isBundleRequest} from '../../machines/schemas/create-request.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import {readJournalFile} from '../journal/file-journal.ts'
import {type ContainerLayout, toContainerLayout} from '../layout/container-layout.ts'
import {prepareBundle} from '../runtime/bundle.ts'
import {writeExecProcess} from '../runtime/exec-process.ts'
import type {OciRuntime} from '../runtime/oci-runtime.ts'
import {findRootOwner} from '../runtime/root-owner.ts'
import {readFeatures} from '../runtime/runc/features.ts'
import {createRunc} from '../runtime/runc/runc.ts'
import type {HostFacts} from '../runtime/spec/host-facts.ts'
import type {SupervisorOptions} from './assignment.ts'
import type {EffectDependencies} from './effects/effect-dependencies.ts'
import type {Failpoints} from './failpoints.ts'
import {findInit} from './recovery/find-init.ts'

export interface ContainerRuntime extends Pick<EffectDependencies, 'prepareBundle' | 'prepareProcess'> {
  readonly runtime: OciRuntime
  /** Root of the container, where that is not root of the host. */
  readonly findOwner: () => ReturnType<typeof findRootOwner>
  /** Whether the state of the runtime is in its usual place. */
  readonly copiesState: boolean
}

export interface ContainerRuntimeDependencies {
  readonly options: SupervisorOptions
  readonly layout: ContainerLayout
  readonly host: HostFacts
  readonly failpoints: Pick<Failpoints, 'onSpawn' | 'onReaped'>
}

/** @param request of the container's create; undefined when its journal is empty */
export function createContainerRuntime(
  {options, layout, host, failpoints}: ContainerRuntimeDependencies,
  {address: {namespace, id}, request}: {readonly address: ContainerAddress; readonly request: CreateRequest | undefined},
): ContainerRuntime {
  const {binary = options.runtime, root = layout.runtimeRoot, ...how} = request?.runtime ?? {}
  const bundle = request && isBundleRequest(request) ? request.bundle : undefined
  const ownHome = !request || isBundleRequest(request) || request.env.some((entry) => entry.startsWith('HOME='))

  return {
    runtime: createRunc({
      ...how,
      binary,
      root,
      logDir: layout.stateDir,
      onSpawn: failpoints.onSpawn,
      onReaped: failpoints.onReaped,
    }),
    // A user namespace comes with a bundle alone.
    findOwner: () => (bundle === undefined ? undefined : findRootOwner(bundle)),
    copiesState: root === layout.runtimeRoot,
    prepareBundle: (made) =>
      prepareBundle(made, {
        dir: layout.stateDir,
        containerId: id,
        cgroupsPath: how.systemdCgroup ? layout.systemdCgroupsPath : layout.cgroupsPath,
        host,
        features: () => readFeatures(binary, {cacheDir: options.runDir}),
        findInit: (other) =>
          findInit(() => readJournalFile(toContainerLayout(options, {namespace, id: other}, '').journal), {namespace, id: other}),
      }),
    prepareProcess: (spec, place) => writeExecProcess(spec, {...place, bundle: place.bundle ?? layout.stateDir, ownHome}),
  }
}
