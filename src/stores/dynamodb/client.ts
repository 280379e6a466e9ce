/** The operations of DynamoDB that are used, through whichever client of the AWS SDK (version 3) there is. */

/** A `DynamoDBClient`, or a `DynamoDB`, of `@aws-sdk/client-dynamodb`. */
export interface DynamodbClient {
  send(...args: never[]): unknown;
}

/** The value of an attribute, as far as it is of interest here. */
export interface Attribute {
  readonly S?: string;
  readonly N?: string;
  readonly B?: Uint8Array;
}
export type Item = Readonly<Record<string, Attribute>>;

/** Each by the name that the service has for it, with what is used of its answer. */
export interface Operations {
  GetItem: { readonly Item?: Item };
  UpdateItem: unknown;
  DeleteItem: { readonly Attributes?: Item };
  Scan: { readonly Items?: readonly Item[]; readonly LastEvaluatedKey?: Item };
  CreateTable: unknown;
  DescribeTable: { readonly Table?: { readonly TableStatus?: string } };
  UpdateTimeToLive: unknown;
}

/** Sends one request. Aborted after `timeout` milliseconds, so that no connection waits for ever for one that hangs. */
export type Call = <O extends keyof Operations>(operation: O, input: object) => Promise<Operations[O]>;

type Options = { readonly abortSignal: AbortSignal };
type Method = (input: object, options: Options) => Promise<never>;

/** The module `@aws-sdk/client-dynamodb`. */
export type Sdk = Readonly<Record<string, new (options: object) => object>>;

/** @param sdk loads the commands, which a `DynamoDBClient` has apart from it and a `DynamoDB` as methods of its own */
export function callsOf(client: DynamodbClient, sdk: () => Promise<Sdk>, timeout: number): Call {
  const methods = client as unknown as Partial<Record<string, Method>>;
  return (operation, input) =>
    inTime(timeout, async (options) => {
      const method = methods[`${operation[0]!.toLowerCase()}${operation.slice(1)}`];
      if (typeof method === 'function') return method.call(client, input, options);
      const Command = (await sdk())[`${operation}Command`]!;
      const send = client.send as unknown as (command: object, options: Options) => Promise<never>;
      return send.call(client, new Command(input), options);
    });
}

async function inTime<T>(timeout: number, run: (options: Options) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeout);
  try {
    return await run({ abortSignal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}
