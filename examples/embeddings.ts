// Semantic search: ten notes are embedded once, and each question finds the ones that are closest to it.
import { connect } from "@pollux/cli";
import { cosineSimilarity, embed, embedMany } from "@pollux/core/resources";

await using connection = await connect();
const options = { endpoint: connection.endpoint, model: "gemini-embedding-2", outputDimensionality: 768 };

const notes = [
  { title: "Bread", content: "Feed the sourdough starter the evening before baking bread." },
  { title: "Bicycle", content: "The bicycle's rear tire needs 4 bar of pressure." },
  { title: "Router", content: "Restart the router by holding its power button for ten seconds." },
  { title: "Tomatoes", content: "Water the tomato plants every morning, never at noon." },
  { title: "Boiler", content: "The heating pressure of the boiler should be between 1 and 2 bar." },
  { title: "Passport", content: "The passport expires in March; renewing it takes six weeks." },
  { title: "Cat", content: "The cat gets her tablets with breakfast." },
  { title: "Library", content: "Library books can be renewed twice online." },
  { title: "Piano", content: "The piano tuner comes every year in October." },
  { title: "Recycling", content: "Glass recycling is collected on the first Monday of the month." },
];
const { embeddings, usage } = await embedMany(notes, { ...options, taskType: "RETRIEVAL_DOCUMENT" });
console.log(`${embeddings.length} notes, ${usage.inputTokens} tokens, ${embeddings[0]?.length} dimensions`);

for (const question of [
  "How do I restart the router?",
  "When should I water the tomatoes?",
  "When does my passport expire?",
]) {
  const { embedding } = await embed(question, { ...options, taskType: "RETRIEVAL_QUERY" });
  const ranked = notes
    .map(({ title }, index) => ({ title, similarity: cosineSimilarity(embedding, embeddings[index] ?? []) }))
    .toSorted((left, right) => right.similarity - left.similarity);
  const [best, second] = ranked.map(({ title, similarity }) => `${title} (${similarity.toFixed(2)})`);
  console.log(`${question} ${best}, then ${second}`);
}
