"""Chapter 1 of "Generative Deep Learning", executable: a textbook whose text is its source.

You are shown fifty points in the plane, and not the rule that made them. Write down a rule of
your own that makes points like these. The chapter begins with this problem, "Hello, world", and
with the simplest model there is: a box around the points, uniform inside and 0 outside.

    >>> import numpy as np
    >>> from gdl_numpy.probability.family import BoxFamily
    >>> from gdl_numpy.probability.likelihood import log_likelihood
    >>> from gdl_numpy.world.evaluation import accuracy, verdict
    >>> from gdl_numpy.world.world_map import WorldMap
    >>> rng = np.random.default_rng(0)

    >>> p_data = WorldMap()                       # the rule, which you may not look at
    >>> X = p_data.sample(50, rng)                # Figure 1-4: all that you see
    >>> family = BoxFamily(2)                     # all boxes in the plane, four numbers each
    >>> theta_hat = family.mle(X)                 # Figure 1-5: the box that explains X best
    >>> print(theta_hat.round(1))
    [ -89.9 -142.6   78.1  175.5]
    >>> print(log_likelihood(family, theta_hat, X).round(1))
    -544.3
    >>> p_model = family(theta_hat)               # a generative model: it makes new points
    >>> print(p_model.sample(1, rng).round(1))
    [[  42.7 -113.1]]

Then the rule is revealed (Figure 1-6): each point was drawn uniformly from the land of a world map.
So the model can be judged. It is simple and coarse: of its points 38 % lie on land, and it makes
points such as A in the Pacific, which the rule never makes.

    >>> print(accuracy(p_model, p_data, 100_000, rng))
    0.3835
    >>> print(verdict(p_model, p_data, [-32.5, -107.5]).kind)
    A

What is a density, why is this box the best, and what would a better model be? Each answer is a
small module that computes. There are two routes through them. README.md in this folder says how a
module is read, and has both routes as tables with symbols, tests and figures.

The chapter: read these in this order. Each heading is a section of the book.

"Hello, world" and "Core probability theory", Figures 1-4, 1-5 and 1-6

    sample_space              样本空间      the set of all values that an observation x can take
    density                   概率密度函数  p(x): boxes, normals, mixtures, histograms
    family                    参数建模      p_θ: a density for each vector θ
    likelihood                似然          L(θ|X) and its logarithm ℓ(θ|X)
    mle                       最大似然估计  θ̂, in closed form, step by step, or by gradient
    divergence                散度          how far one density is from another
    world_map                 你好，世界    p_data of the chapter: uniform over the world's land
    evaluation                模型评估      the points A, B and C as measures of a model
    kernel_density            核密度估计    a small bump on each point of the data
    normal_family             正态分布族    normals and mixtures for any vector θ of real numbers
    expectation_maximization  期望最大化    θ̂ of a mixture, by guessing who made what

"Generative versus discriminative modeling", Figure 1-2

    discriminative  判别模型      p(y|x): the label, given the observation
    logistic        逻辑回归      p(y|x) whose logits are linear in x
    conditional     条件生成模型  p(x|y), p(y), and Bayes' rule between the two sides
    painters        画家          two rule-based painters, whose pictures are to be told apart

"Representation learning", Figures 1-7, 1-8 and 1-9, and the horses of "What is generative
modeling?", Figure 1-1

    biscuit_tins          饼干罐      f(height, width): images whose two latent numbers are known
    latent                潜在空间    encoder, decoder, and the space between them
    principal_components  主成分分析  the nearest plane, and its density
    autoencoder           自编码器    the plane becomes a curved surface
    manifold              流形        how many dimensions the data have, and with which coordinates
    silhouettes           剪影        dogs and horses, drawn from a few numbers by polygons

"The rise of generative modeling", Figure 1-3, and "Generative modeling and AI"

    faces        面孔      faces drawn from thirteen numbers, which models get ever closer to
    chart        海图      the sea in cells, and where a step of a ship leads
    sailing      航海      a world that answers what an agent does, and the true one
    planning     规划      the best action in every state, and what a plan costs, exactly
    world_model  世界模型  a world learned from steps, so that plans are tried inside it
    q_learning   Q 学习    to learn what actions cost, without a model of the world

"Generative model taxonomy", Figure 1-10

    autoregressive           自回归模型      one coordinate after the other: exact in any dimension
    normalizing_flow         归一化流        an invertible map to a simple density
    variational_autoencoder  变分自编码器    a latent variable, and a lower bound on log p(x)
    energy_based             基于能量的模型  exp(-E)/Z: Markov chains, and Z on a grid
    diffusion                扩散模型        noise is added, and taken away again
    adversarial              生成对抗网络    a generator against a discriminator; no density
    taxonomy                 生成模型分类    the tree of Figure 1-10, read off the classes

The machinery beneath it: read these when a formula of the chapter calls for them.

Arrays, checks, and what is done with large data

    backend    后端      where arrays live: NumPy on the processor, CuPy on the GPU
    moments    矩        mean and covariance of many rows, added in float64
    checks     检查      what is refused at the door, and in which words
    described  描述      densities and families that say what they are
    blocks     分块      large data, some rows at a time
    exact      精确分格  the cell that holds a number, whatever is rounded
    memory     内存      keeps freed memory, which halves the time of a training step

Methods that need only numbers

    elementary      初等函数        logsumexp, softmax, softplus, sigmoid, stable at the extremes
    neighbors      近邻            which pairs of points are close
    kernel_sum      核求和          sums over near pairs alone
    optimizer       优化器          gradient descent and Adam on one vector
    newton          牛顿法          Newton's method for any convex loss
    softmax_newton  牛顿法求解回归  softmax regression, fast, and in any units
    separation      可分性          whether planes keep classes apart, decided without rounding
    langevin        朗之万动力学    a Markov chain for any energy
    polygon         多边形          regions with straight edges: membership, integrals, sampling

Networks, and how they are stored

    network             神经网络    the multilayer perceptron and its pullback
    fourier             傅里叶特征  waves of the coordinates, so that networks can learn fine detail
    linear_start        线性起点    a start at which a network is a matrix, and a little of chance
    training            训练        steps on rows drawn at random, for models without a formula
    trained             训练模型    what all trained families share around their formulas
    rational_quadratic  单调样条    monotone splines with a slope and an inverse by formula
    storage             存储        trained parameters on disk, and the family they belong to

Densities and images that the figures need

    change_of_units      单位变换  the same density in degrees
    recalibrated         重新校准  a kernel density bent into two levels
    rasterizer           栅格化    polygons become images, every pixel continuous in their corners
    pixels               像素      gray levels, and what a density says of them
    discretized          离散化    masses of gray levels by a density of few numbers
    window               窗口      each pixel, given a window of those before it
    leading_coordinates  主坐标    a density of a few coordinates, and noise for the rest

Import a module by its name, `from gdl_numpy.probability.density import Normal`; this page
re-exports nothing. Observations are rows, logarithms are natural, points of the map are (latitude,
longitude) in degrees.
"""
