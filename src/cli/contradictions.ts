/** Options that contradict each other are refused: otherwise the last one would silently win. */
import {TallyError} from '../kernel/errors.ts'
import type {ContainerFlags} from './container-flags.ts'

/** @throws TallyError INVALID_ARGUMENT */
export function assertNoContradiction({ulimit = [], securityOpt = [], capAdd = [], capDrop = []}: ContainerFlags): void {
  assertOnce(
    '--ulimit',
    ulimit.map(({name}) => name),
  )
  assertOnce('--security-opt', securityOpt.flatMap(Object.keys).map(toOptionName))
  const dropped = new Set(capDrop.map(toCapability))
  const both = capAdd.map(toCapability).find((name) => dropped.has(name))
  if (both !== undefined) throw new TallyError('INVALID_ARGUMENT', `expected ${both} either in --cap-add or in --cap-drop, got both`)
}

function assertOnce(flag: string, names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) < index)
  if (repeated !== undefined) throw new TallyError('INVALID_ARGUMENT', `expected one ${flag} for ${repeated}, got several`)
}

function toOptionName(field: string): string {
  return field === 'noNewPrivileges' ? 'no-new-privileges' : field
}

function toCapability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '')
}
