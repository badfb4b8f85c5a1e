package main

// Declarations without a counterpart in package protocol: they combine the messages into unions.

const envelope = `/** A message without a position. */
interface Unnumbered {
  seq?: undefined
  prev?: undefined
  by?: undefined
  mutationId?: undefined
  version?: undefined
}

/** A message with a position: an event or a receipt. */
interface Numbered {
  planId: string
  timestamp: Timestamp
  /** Increases within an epoch, with gaps. */
  seq: number
  /**
   * The seq of the previous event of the plan. If it is greater than the last seq of a client, the
   * client has missed events.
   */
  prev: number
  /** The user who made the change, if known. */
  by?: string
  /** The mutation ID of the client that made the change. */
  mutationId?: string
  /** The version of what the event describes, if the host gives one. */
  version?: EventVersion
}

`

const taskID = `/** The ID of a task: a string, or an integer from -(2^53-1) to 2^53-1. A host uses one of the two. */
export type TaskId = string | number

`

// contentParameters are the type parameters of what may be an event.
const contentParameters = "<Task = unknown, Progress = unknown, Host extends HostEvent<string> = HostEvent, Id extends TaskId = string>"

// The type of an event of the host is an enum, because TypeScript does not let string literals
// match an enum. With a plain string, comparing the type of a message with 'task-updated' would not
// exclude events of the host, and the type of data would be unknown.
const hostEvents = `export declare enum HostType {
  Other = 'any type that the protocol does not use',
}

/**
 * An event of a type that the host defines: any string that the protocol does not use. Its data is
 * any JSON. Declare the types of the host to compare with them:
 *
 *     type Commented = HostEvent<'comment-added', { text: string }>
 *     type MyEvent = PlanEvent<Task, Progress, Commented>
 */
export interface HostEvent<Type extends string = HostType, Data = unknown> {
  type: Type
  data: Data
}

`

const placed = `/** An event of a plan. The type of data depends on type. */
export type PlanEvent` + contentParameters + ` =
  Numbered & EventContent<Task, Progress, Host, Id>

/** A notice of the host: an event for one user instead of a plan. */
export type Notice` + contentParameters + ` =
  Unnumbered & { planId?: undefined; timestamp: Timestamp } & EventContent<Task, Progress, Host, Id>

/** The position of an event that excludes this client. It acknowledges the change of the client. */
export interface Receipt extends Numbered {
  type: 'receipt'
  data?: undefined
}

`
