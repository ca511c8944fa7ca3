"""Chapter 1 of "Generative Deep Learning", executable: a textbook whose text is its source.

Fifty points on a map are given, and nothing else. Which rule made them, and how can a machine make
more? The chapter answers with words like density, likelihood and latent space; here each of them is
a small module that computes. There are two routes through it. README.md in this folder has both as
tables, with symbols, tests and figures, and says how a module is read.

The chapter, in its own order: read these.

    sample_space     样本空间      the set of all values that an observation x can take
    density          概率密度函数   p(x): boxes, normals, mixtures, histograms
    family           参数建模      p_θ: a density for each vector θ
    likelihood       似然          L(θ|X) and its logarithm ℓ(θ|X)
    mle              最大似然估计   θ̂, in closed form or by gradient
    world_map        你好，世界     p_data of the chapter: uniform over the world's land
    evaluation       模型评估      the points A, B and C as measures of a model
    kernel_density   核密度估计    a small bump on each point of the data
    divergence       散度          how far one density is from another
    normal_family    正态分布族    normal densities and their mixtures, without constraints on θ
    expectation_maximization   期望最大化   θ̂ of a mixture, by guessing who made what
    discriminative   判别模型      p(y|x): the label, given the observation
    logistic         逻辑回归      p(y|x) whose logits are linear in x
    conditional      条件生成模型   p(x|y), p(y), and Bayes' rule between the two sides
    painters         画家          two procedural painters, whose pictures are to be told apart
    biscuit_tins     饼干罐        f(height, width): pictures whose two latent numbers are known
    latent           潜在空间      encoder, decoder, and the space between them
    principal_components   主成分分析   the nearest plane, and its density
    autoencoder      自编码器      the plane becomes a curved surface
    manifold         流形          how many dimensions the data have, and with which coordinates
    silhouettes      剪影          dogs and horses, drawn from a few numbers by polygons
    faces            面孔          faces drawn from thirteen numbers, to be modelled ever better
    autoregressive   自回归模型     one coordinate after the other: exact in any dimension
    normalizing_flow          归一化流        an invertible map to a simple density
    variational_autoencoder   变分自编码器    a latent variable, and a lower bound on log p(x)
    energy_based     基于能量的模型  exp(-E)/Z: Markov chains, and Z on a grid
    diffusion        扩散模型      noise is added, and taken away again
    adversarial      生成对抗网络   a generator against a discriminator: samples, no density
    taxonomy         生成模型分类   the tree of Figure 1-10, read off what the classes can do

The machinery beneath it: read these when a formula of the chapter calls for them.

    backend          后端          where arrays live: NumPy on the processor, CuPy on the GPU
    moments          矩            mean and covariance of many rows, added in float64
    checks           检查          what is refused at the door, and in which words
    described        描述          densities and families that say what they are
    blocks           分块          large data, some rows at a time
    memory           内存          freed memory is kept, which halves a training step
    elementary       初等函数      logsumexp, softmax, softplus, sigmoid, stable at the extremes
    neighbours       近邻          which pairs of points are close
    kernel_sum       核求和        sums over near pairs alone
    optimizer        优化器        gradient descent and Adam on one vector
    newton           牛顿法        Newton's method for any convex loss
    softmax_newton   牛顿法求解回归  softmax regression, fast, and in any units
    separation       可分性        whether planes keep classes apart, for certain
    langevin         朗之万动力学   a Markov chain for any energy
    polygon          多边形        regions with straight edges: membership, integrals, sampling
    network          神经网络      the multilayer perceptron and its pullback
    fourier          傅里叶特征     waves of the coordinates, so that networks can learn fine detail
    training         训练          steps on rows drawn at random, for models without a formula
    trained          训练模型      what all trained families share around their formulas
    rational_quadratic   单调样条   monotone splines with a slope and an inverse by formula
    storage          存储          trained parameters on disk, and the family they belong to
    change_of_units  单位变换      the same density in degrees
    recalibrated     重新校准      a kernel density bent into two levels
    rasteriser       栅格化        polygons become pictures, every pixel continuous in their corners
    pixels           像素          grey levels, and what a density says of them
    discretised      离散化        masses of grey levels by a density of few numbers
    window           窗口          each pixel from a window of those before it
    leading_coordinates   主坐标   a density of few coordinates, and noise for the rest

Import a module by its name, `from gdl_numpy.probability.density import Normal`; this page
re-exports nothing. Observations are rows, logarithms are natural, points of the map are (latitude,
longitude) in degrees.
"""
