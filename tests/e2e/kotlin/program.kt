// SPDX-License-Identifier: Apache-2.0
//
// A program that lives on the garbage-collected heap: a small Lisp, trees that come and go, shortest
// paths, generators, exceptions. Built for the JVM too, which must print the same.

// -- a small Lisp --

sealed class Node
data class Number(val value: Long) : Node()
data class Symbol(val name: String) : Node()
data class Listing(val items: List<Node>) : Node()
class Function(val parameters: List<String>, val body: Node, val scope: Scope) : Node()
class Primitive(val name: String, val apply: (List<Node>) -> Node) : Node()

open class LispError(message: String, cause: Throwable? = null) : Exception(message, cause)
class Unbound(name: String) : LispError("unbound: $name")

class Scope(private val outer: Scope?) {
    private val names = HashMap<String, Node>()

    operator fun get(name: String): Node =
        names[name] ?: outer?.get(name) ?: throw Unbound(name)

    operator fun set(name: String, value: Node) {
        names[name] = value
    }
}

class Parser(text: String) {
    private val tokens = text.replace("(", " ( ").replace(")", " ) ").split(' ', '\n')
        .filter { it.isNotEmpty() }
    private var at = 0

    fun all(): List<Node> = buildList { while (at < tokens.size) add(next()) }

    private fun next(): Node {
        val token = tokens.getOrNull(at++) ?: throw LispError("ends too early")
        return when {
            token == "(" -> {
                val items = mutableListOf<Node>()
                while (tokens.getOrNull(at) != ")") items += next()
                at++
                Listing(items)
            }
            token == ")" -> throw LispError("unexpected )")
            token.toLongOrNull() != null -> Number(token.toLong())
            else -> Symbol(token)
        }
    }
}

fun show(node: Node): String = when (node) {
    is Number -> node.value.toString()
    is Symbol -> node.name
    is Listing -> node.items.joinToString(" ", "(", ")", transform = ::show)
    is Function -> "<function of ${node.parameters.size}>"
    is Primitive -> "<${node.name}>"
}

fun evaluate(node: Node, scope: Scope): Node = when (node) {
    is Symbol -> scope[node.name]
    is Listing -> if (node.items.isEmpty()) node else evaluateForm(node.items, scope)
    else -> node
}

fun evaluateForm(items: List<Node>, scope: Scope): Node {
    when ((items[0] as? Symbol)?.name) {
        "quote" -> return items[1]
        "if" -> {
            val isTrue = evaluate(items[1], scope) != Number(0)
            return evaluate(if (isTrue) items[2] else items[3], scope)
        }
        "define" -> {
            scope[(items[1] as Symbol).name] = evaluate(items[2], scope)
            return items[1]
        }
        "lambda" -> {
            val names = (items[1] as Listing).items.map { (it as Symbol).name }
            return Function(names, items[2], scope)
        }
    }
    val arguments = items.drop(1).map { evaluate(it, scope) }
    return call(evaluate(items[0], scope), arguments)
}

fun call(callee: Node, arguments: List<Node>): Node = when (callee) {
    is Primitive -> callee.apply(arguments)
    is Function -> {
        val inner = Scope(callee.scope)
        callee.parameters.zip(arguments).forEach { (name, value) -> inner[name] = value }
        evaluate(callee.body, inner)
    }
    else -> throw LispError("not a function: ${show(callee)}")
}

fun globals(): Scope {
    val scope = Scope(null)
    fun number(name: String, apply: (Long, Long) -> Long) {
        scope[name] = Primitive(name) { (a, b) -> Number(apply((a as Number).value, (b as Number).value)) }
    }
    number("+", Long::plus)
    number("-", Long::minus)
    number("*", Long::times)
    number("<") { a, b -> if (a < b) 1 else 0 }
    scope["list"] = Primitive("list") { Listing(it) }
    scope["map"] = Primitive("map") { (function, list) ->
        Listing((list as Listing).items.map { call(function, listOf(it)) })
    }
    return scope
}

fun lisp() {
    val scope = globals()
    val source = """
        (define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))
        (define twice (lambda (f) (lambda (x) (f (f x)))))
        (map fib (list 1 5 10 15 17))
        ((twice (twice (lambda (x) (* x x)))) 3)
        (quote (a (b c) 12))
        (fib unknown)
        (12 13)
        (+ 1 (quote x))
        (fib"""
    for (line in source.trim().lines()) {
        val text = try {
            Parser(line).all().joinToString(" ") { show(evaluate(it, scope)) }
        } catch (error: Unbound) {
            "no such name (${error.message})"
        } catch (error: LispError) {
            "error: ${error.message}"
        } catch (error: ClassCastException) {
            "not a number"
        } finally {
            scope["last"] = Number(1)
        }
        println(text)
    }
}

// -- trees that come and go --

class Tree(val left: Tree?, val right: Tree?, val weight: Int) {
    fun count(): Int = 1 + (left?.count() ?: 0) + (right?.count() ?: 0)
    fun sum(): Long = weight + (left?.sum() ?: 0L) - (right?.sum() ?: 0L)
}

fun grow(depth: Int, weight: Int): Tree =
    if (depth == 0) Tree(null, null, weight)
    else Tree(grow(depth - 1, weight * 3 + 1), grow(depth - 1, weight * 5 + 2), weight)

fun trees() {
    val kept = grow(12, 1)
    var sum = 0L
    var nodes = 0
    repeat(60) {
        val tree = grow(11, it)
        nodes += tree.count()
        sum += tree.sum()
    }
    println("$nodes nodes, sum $sum; kept ${kept.count()}, ${kept.sum()}")
}

// -- shortest paths with a heap of its own --

class Heap<T>(private val order: Comparator<T>) {
    private val items = ArrayList<T>()
    val isEmpty get() = items.isEmpty()

    fun push(item: T) {
        items += item
        var child = items.lastIndex
        while (child > 0) {
            val parent = (child - 1) / 2
            if (order.compare(items[parent], items[child]) <= 0) break
            items[parent] = items[child].also { items[child] = items[parent] }
            child = parent
        }
    }

    fun pop(): T {
        val top = items[0]
        val last = items.removeAt(items.lastIndex)
        if (items.isEmpty()) return top
        items[0] = last
        var parent = 0
        while (true) {
            var child = 2 * parent + 1
            if (child > items.lastIndex) break
            if (child < items.lastIndex && order.compare(items[child + 1], items[child]) < 0) child++
            if (order.compare(items[parent], items[child]) <= 0) break
            items[parent] = items[child].also { items[child] = items[parent] }
            parent = child
        }
        return top
    }
}

fun paths() {
    val size = 60
    val cost = Array(size * size) { IntArray(1) { _ -> 1 + (it * 7919 + it / size * 104729) % 9 } }
    val distance = IntArray(size * size) { Int.MAX_VALUE }
    val heap = Heap<Pair<Int, Int>>(compareBy({ it.first }, { it.second }))
    distance[0] = 0
    heap.push(0 to 0)
    while (!heap.isEmpty) {
        val (reached, place) = heap.pop()
        if (reached > distance[place]) continue
        val x = place % size
        for (next in listOf(place - size, place + size, if (x > 0) place - 1 else -1,
                            if (x < size - 1) place + 1 else -1)) {
            if (next !in distance.indices) continue
            val far = reached + cost[next][0]
            if (far < distance[next]) {
                distance[next] = far
                heap.push(far to next)
            }
        }
    }
    println("to the corner: ${distance.last()}, sum ${distance.sumOf { it.toLong() }}")
}

// -- text, generators, numbers --

fun text() {
    val poem = "the cat saw the dog and the dog saw the bird über allem"
    val counts = poem.split(" ").groupingBy { it }.eachCount()
    println(counts.entries.sortedWith(compareBy({ -it.value }, { it.key })).joinToString { "${it.key}=${it.value}" })
    val primes = sequence {
        var candidate = 2
        while (true) {
            if ((2 until candidate).none { it * it <= candidate && candidate % it == 0 }) yield(candidate)
            candidate++
        }
    }
    println(primes.take(25).toList())
    println(buildString { for (c in 'z' downTo 'a' step 3) append(c.uppercaseChar()).append('-') })
    val matrix = Array(24) { i -> DoubleArray(24) { j -> (i * j % 7 - 3).toDouble() } }
    val square = Array(24) { i -> DoubleArray(24) { j -> (0 until 24).sumOf { matrix[i][it] * matrix[it][j] } } }
    println(square.sumOf { row -> row.sumOf { it * it } }.toLong())
    println((1..40).fold(1L) { hash, i -> hash * 6364136223846793005 + (hash ushr 33) + i }.toString(16))
}

class Door(private val name: String) : AutoCloseable {
    override fun close() = println("$name closes")
}

fun exceptions() {
    val outcome = runCatching {
        Door("outer").use {
            Door("inner").use { throw IllegalStateException("inside") }
        }
    }
    println(outcome.exceptionOrNull()?.message)
    val chain = try {
        try {
            arrayListOf(1, 2, 3)[7]
        } catch (error: IndexOutOfBoundsException) {
            throw LispError("wrapped", error)
        }
    } catch (error: LispError) {
        (error.cause is IndexOutOfBoundsException).toString()
    }
    println(chain)
    fun deep(n: Int): Int = if (n == 0) throw NumberFormatException("bottom") else 1 + deep(n - 1)
    var caught = 0
    repeat(500) {
        try {
            deep(it % 50)
        } catch (error: NumberFormatException) {
            caught += it
        }
    }
    println(caught)
    val nothing: String? = counts().firstOrNull { it.isEmpty() }
    println(try { nothing!!.length } catch (error: NullPointerException) { -1 })
}

fun counts() = listOf("one", "two")

fun main() {
    lisp()
    trees()
    paths()
    text()
    exceptions()
}
