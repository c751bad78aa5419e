export { type TodoItem, type TodoState, type TodoStatus, todosIn } from "./todo/todo-item.ts";
export { type TodoList, todoList, type TodoListOptions, type TodoProgress } from "./todo/todo-list.ts";
