import { GoogleGenAI } from "@google/genai";

export const absent = {
  approve: "no approvals",
  deploy: "nothing stored",
  stop: "no guardrails",
  job: "nothing stored",
};

export function open({ base, model }, { tools }) {
  const client = new GoogleGenAI({ apiKey: "x", httpOptions: { baseUrl: base, apiVersion: "v1beta" } });
  const functionDeclarations = tools.map(({ name, argument }) => ({
    name,
    description: name,
    parametersJsonSchema: { type: "object", properties: { [argument]: { type: "string" } } },
  }));
  const answer = ({ id, name }) => {
    const output = tools.find((one) => one.name === name).run();
    return { functionResponse: { id, name, response: { output } } };
  };
  const tool = { tool: async () => ({ functionDeclarations }), callTool: async (calls) => calls.map(answer) };
  return {
    say: async (_id, message) =>
      (await client.chats.create({ model, config: { tools: [tool] } }).sendMessage({ message })).text,
  };
}
