/** Which container of a node; unique on it for as long as the container exists. */
export interface ContainerName {
  readonly namespace: string
  readonly id: string
}
