// An image with the question.
import { connect } from "@pollux/cli";
import { Agent, media } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint });

// A red dot, 8 by 8 pixels.
const png = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LAAAAFklEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC";
const result = await agent.run([media(png), "What is in this picture?"]);
console.log(result.text);
