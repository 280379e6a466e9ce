/** An endpoint that answers as it was told, for what a stand-in for DynamoDB does not do: each request is kept. */
import { createServer, type ServerResponse } from 'node:http';

export interface DynamodbRequest {
  /** `UpdateItem` */
  readonly operation: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A status and a body; or what becomes of the connection. */
export type DynamodbReply = readonly [status: number, body: object] | 'cut';

export interface ScriptedDynamodb {
  readonly url: string;
  readonly requests: DynamodbRequest[];
  close(): Promise<void>;
}

/** What the service says to a condition that does not hold, with the item where it was asked for and there is one. */
export function conditionFailed(item?: object): DynamodbReply {
  const type = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException';
  return [400, { __type: type, message: 'The conditional request failed', ...(item && { Item: item }) }];
}

export function failed(type: string, status = 400): DynamodbReply {
  return [status, { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type }];
}

export async function scriptedDynamodb(answer: (request: DynamodbRequest) => DynamodbReply): Promise<ScriptedDynamodb> {
  const requests: DynamodbRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const target = String(request.headers['x-amz-target']);
      const operation = target.slice(target.indexOf('.') + 1);
      const seen = { operation, body: JSON.parse(Buffer.concat(chunks).toString()) };
      requests.push(seen);
      reply(response, answer(seen));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    requests,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function reply(response: ServerResponse, answer: DynamodbReply): void {
  if (answer === 'cut') {
    response.destroy();
    return;
  }
  const [status, body] = answer;
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
}
